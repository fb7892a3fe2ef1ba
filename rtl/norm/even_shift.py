"""Normalisation by an even shift, ahead of a square root."""
from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import unpack
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.formats import EXP2_FRAC

LATENCY = 2  # cycles from s to m and half

GROUP = 16  # bits that one coarse step of the search spans
PAIRS = GROUP // 2


def group_count(bits):
    """Groups of a number of `bits` bits."""
    return -(-bits // GROUP)


@hblock
def even_shift(clk, s, m, half):
    """s = m * 4**half with m in [1, 4), truncated. A pure pipeline, LATENCY cycles.

    Ports: clk; s unsigned; m uint(17), 2.15; half signed, 0 .. len(s) / 2. s = 0 gives m = 0, half = -1.

        s ─> groups of 16 bits, which are 0? ─> the topmost other and the next ─> its leading zero pairs ─> shift ─> m
    """
    GROUPS = group_count(len(s))
    M_BITS = len(m)
    WINDOW = 2 * GROUP
    if M_BITS + 2 * (PAIRS - 1) > WINDOW:
        raise ValueError(f"even_shift: m has {M_BITS} bits, at most {WINDOW - 2 * (PAIRS - 1)} fit")
    AMOUNT_BITS = WINDOW.bit_length()
    LOWEST = WINDOW - M_BITS
    LIMIT = 2 * PAIRS * GROUPS

    groups = [uint(GROUP) for _ in range(GROUPS)]
    used = [bit() for _ in range(GROUPS)]
    padded = uint(GROUPS * GROUP)
    top = uint(GROUPS.bit_length())
    window = uint(WINDOW)
    zeros = uint(PAIRS.bit_length())  # leading pairs of the window that are 0

    split = unpack(padded, groups)

    @always_comb
    def widen():
        padded.next = s

    @always_comb
    def inspect():
        for k in range(GROUPS):
            used[k].next = groups[k] != 0

    @always(clk.posedge)
    def choose():
        top.next = 0
        window.next = concat(groups[0], intbv(0)[GROUP:])
        for k in range(1, GROUPS):
            if used[k]:
                top.next = k
                window.next = concat(groups[k], groups[k - 1])

    @always_comb
    def count_zeros():
        rest = intbv(0)[GROUP:]
        zeros.next = PAIRS
        for k in range(PAIRS):
            rest[:] = window[WINDOW:GROUP]
            rest[:] = rest >> (2 * k)
            if rest[2:] != 0:
                zeros.next = PAIRS - 1 - k

    @always(clk.posedge)
    def shift():
        wide = intbv(0)[WINDOW:]
        amount = intbv(0)[AMOUNT_BITS:]
        place = intbv(0, min=-LIMIT, max=LIMIT)
        amount[:] = zeros
        amount[:] = amount << 1
        wide[:] = window << amount
        m.next = wide[WINDOW:LOWEST]
        place[:] = top
        place[:] = place * PAIRS
        place[:] = place + (PAIRS - 1)
        half.next = place - zeros

    return widen, split, inspect, choose, count_zeros, shift


def ports(WIDTH: int) -> dict:
    """Fresh ports for numbers of WIDTH bits."""
    half = sint((GROUP * group_count(WIDTH)).bit_length())
    return dict(clk=bit(), s=uint(WIDTH), m=uint(EXP2_FRAC + 1), half=half)
