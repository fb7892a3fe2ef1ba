"""Sum of many signed numbers, two adder levels between registers."""
from myhdl import always, always_comb, block, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import unpack
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import clog2

RADIX = 4  # terms that one register stage adds


def latency(n):
    """Register stages of a tree of n terms: ceil(log4(n)), at least 1."""
    stages = 1
    while RADIX**stages < n:
        stages += 1
    return stages


@hblock
def adder_tree(clk, enable, terms, total, N):
    """total = sum of N signed terms, exact. A pipeline, one sum a cycle, latency(N) cycles.

    Ports: clk; enable: these terms are to be summed: what comes without it changes nothing, and `total` stays the sum
    before; terms uint(N * W), term 0 in the low bits; total sint(W + clog2(N)). N: at least 2.
    """
    width = len(terms) // N
    if N < 2 or len(terms) != N * width or len(total) != width + clog2(N):
        raise ValueError(f"adder_tree: {len(terms)} bits of terms and {len(total)} of total do not fit N = {N}")
    counts = [N]
    for _ in range(latency(N)):
        counts.append(-(-counts[-1] // RADIX))
    widths = [width + (clog2(min(N, RADIX**k)) if k else 0) for k in range(len(counts))]
    levels = [[sint(w) for _ in range(count)] for count, w in zip(counts, widths)]
    enables = [bit() for _ in levels[1:]]  # of each level
    first, result = enables[0], levels[-1][0]
    split = unpack(terms, levels[0])
    travel = [follow(clk, before, after) for before, after in zip(enables, enables[1:])]
    adders = [add_groups(clk, now, xs, ys) for now, xs, ys in zip(enables, levels, levels[1:])]

    @always_comb
    def enter():
        first.next = enable

    @always_comb
    def out():
        total.next = result

    return split, enter, travel, adders, out


def ports(N: int, WIDTH: int) -> dict:
    """Fresh ports and parameters for N terms of WIDTH bits."""
    return dict(clk=bit(), enable=bit(), terms=uint(N * WIDTH), total=sint(WIDTH + clog2(N)), N=N)


@block
def follow(clk, enable, enable_next):
    """`enable` of the next level."""

    @always(clk.posedge)
    def travel():
        enable_next.next = enable

    return travel


@block
def add_groups(clk, enable, xs, ys):
    """ys[k] = sum of the k-th RADIX terms of xs, registered with `enable`; the last group may be short."""
    FULL = len(xs) // RADIX
    REST = len(xs) % RADIX
    TAIL = FULL * RADIX
    LIM = ys[0].max

    @always(clk.posedge)
    def add_full():
        a = intbv(0, min=-LIM, max=LIM)
        b = intbv(0, min=-LIM, max=LIM)
        if enable:
            for k in range(FULL):
                a[:] = xs[RADIX * k] + xs[RADIX * k + 1]
                b[:] = xs[RADIX * k + 2] + xs[RADIX * k + 3]
                ys[k].next = a + b

    @always(clk.posedge)
    def add_three():
        a = intbv(0, min=-LIM, max=LIM)
        a[:] = xs[TAIL] + xs[TAIL + 1]
        if enable:
            ys[FULL].next = a + xs[TAIL + 2]

    @always(clk.posedge)
    def add_two():
        if enable:
            ys[FULL].next = xs[TAIL] + xs[TAIL + 1]

    @always(clk.posedge)
    def keep_one():
        if enable:
            ys[FULL].next = xs[TAIL]

    processes = [add_full] if FULL else []
    if REST:
        processes.append((keep_one, add_two, add_three)[REST - 1])
    return processes
