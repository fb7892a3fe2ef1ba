"""Rotary position embedding of the key and query rows."""
from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.rope import rotate as turn
from llama2_myhdl.rtl.rope.angles import angles
from llama2_myhdl.rtl.rope.rotate import rotate
from llama2_myhdl.rtl.rope.sincos import VALUE_BITS
from llama2_myhdl.rtl.stream import fifo as output_fifo
from llama2_myhdl.rtl.stream.credit import credit
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.spec.config import clog2

LATENCY = 2 + turn.LATENCY + output_fifo.LATENCY  # cycles from the first element of a pair to its first result


@hblock
def rope(clk, rst, s, s_pos, m, freq_we, freq_addr, freq_data, pairs, saturated, CFG):
    """Turns the pairs (2i, 2i+1) of every KEY and QUERY head by the angles of a position, as golden.fixed.rope.

    s: Stream(data=F, kind=uint(KIND_BITS), last=bit()): elements head by head, `last` ignored.
    s_pos: Stream(pos=uint(CFG.pos_bits)): one a token, before its rows and after the results of all earlier ones;
    rows wait until its angles are ready (`angles.latency`).
    m: Stream(data=F, tag=uint(KIND_BITS), last=bit()): as many elements in the same order, last = end of a head.
    freq_we, freq_addr, freq_data: write port of the frequencies, for boot time. pairs: head_dim / 2.
    saturated: out, an element of m was clipped (one pulse an element).

    One element a cycle; LATENCY cycles when nothing waits. Five multipliers: four in rotate, one in sincos.

        s ─> pair up ─> rotate (two cycles a pair) ─> fifo ─> m        credits: a place in the fifo for every
        s_pos ─> angles ──┘ cos, sin                                   element that was accepted
    """
    F = len(s.data)
    DEPTH = LATENCY + 2  # results in flight and waiting; with fewer, one element a cycle would not be sustained
    ROTATE = turn.LATENCY
    KIND_BITS = len(s.kind)

    take, give, credit_ready, angles_ready = [bit() for _ in range(4)]
    odd, start, second, ends, clipped, valid = [bit() for _ in range(6)]
    first, a, b, y = [sint(F) for _ in range(4)]
    pair = uint(clog2(CFG.max_head_dim // 2))
    last_pair = uint(len(pairs))
    kind = uint(KIND_BITS)
    cos, sin, a_factor, b_factor = [sint(VALUE_BITS) for _ in range(4)]
    travelling = uint(ROTATE)
    beside, arrived = uint(KIND_BITS + 1), uint(KIND_BITS + 1)
    results = Stream(data=sint(F), tag=uint(KIND_BITS), last=bit())

    table = angles(clk, rst, s_pos, freq_we, freq_addr, freq_data, pairs, pair, cos, sin, angles_ready, CFG=CFG)
    arithmetic = rotate(clk, a, b, a_factor, b_factor, second, y, clipped)
    labels = delay(clk, beside, arrived, CYCLES=ROTATE)
    credits = credit(clk, rst, take, give, credit_ready, DEPTH=DEPTH)
    queue = fifo(clk, rst, results, m, DEPTH=DEPTH)
    unused(s.last, results.ready)

    @always_comb
    def handshake():
        s.ready.next = credit_ready and angles_ready
        take.next = s.valid and credit_ready and angles_ready
        give.next = m.valid and m.ready

    # a pair enters rotate in two cycles: `start`, then `second`; the next pair is not complete before them
    @always(clk.posedge)
    def control():
        if rst:
            odd.next = False
            start.next = False
            second.next = False
            pair.next = 0
            travelling.next = 0
        else:
            travelling.next = concat(travelling[ROTATE - 1:], start or second)
            start.next = take and odd
            second.next = start
            if take:
                odd.next = not odd
                if odd:
                    if pair == last_pair:
                        pair.next = 0
                    else:
                        pair.next = pair + 1

    @always(clk.posedge)
    def pair_up():
        last_pair.next = pairs - 1
        if take:
            if odd:
                a.next = first
                b.next = s.data
                kind.next = s.kind
                ends.next = pair == last_pair
            else:
                first.next = s.data

    # beside a and b: for the cycle of `start`, then for that of `second`, in which the table still shows the same pair
    @always(clk.posedge)
    def turn_factors():
        if take and odd:
            a_factor.next = cos
            b_factor.next = sin
        else:
            a_factor.next = sin
            b_factor.next = cos

    @always_comb
    def label():
        beside.next = concat(kind, ends and second)

    @always_comb
    def collect():
        valid.next = travelling[ROTATE - 1]
        results.valid.next = travelling[ROTATE - 1]
        results.data.next = y
        results.tag.next = arrived[KIND_BITS + 1:1]
        results.last.next = arrived[0]

    @always_comb
    def report():
        saturated.next = clipped and valid

    return (table, arithmetic, labels, credits, queue, handshake, control, pair_up, turn_factors, label, collect,
            report)
