"""Rotary position embedding of the key and query rows."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.rope import rotate as turn
from llama2_myhdl.rtl.rope.angles import angles
from llama2_myhdl.rtl.rope.rotate import rotate
from llama2_myhdl.rtl.rope.sincos import VALUE_BITS
from llama2_myhdl.rtl.stream import fifo as output_fifo
from llama2_myhdl.rtl.stream.pipeline import pipeline
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.formats import PHASE_BITS
from llama2_myhdl.spec.kinds import KIND_BITS

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
    LAST = ROTATE - 1

    take, enter, room, angles_ready = [bit() for _ in range(4)]
    odd, start, second, ends, clipped = [bit() for _ in range(5)]
    first, a, b = [sint(F) for _ in range(3)]
    pair = uint(clog2(CFG.max_head_dim // 2))
    last_pair = uint(len(pairs))
    cos, sin, a_factor, b_factor = [sint(VALUE_BITS) for _ in range(4)]
    travelling = uint(ROTATE)
    label, result = Payload(tag=uint(len(s.kind)), last=bit()), Payload(data=sint(F))
    unused(s.last)

    angles_ = angles(
        clk,
        rst,
        s_pos=s_pos,
        freq_we=freq_we,
        freq_addr=freq_addr,
        freq_data=freq_data,
        pairs=pairs,
        raddr=pair,
        rcos=cos,
        rsin=sin,
        ready=angles_ready,
        CFG=CFG,
    )
    rotate_ = rotate(
        clk, a=a, b=b, a_factor=a_factor, b_factor=b_factor, second=second, y=result.data, clipped=clipped
    )
    pipeline_ = pipeline(
        clk,
        rst,
        take=take,
        enter=enter,
        label=label,
        result=result,
        m=m,
        room=room,
        travelling=travelling,
        LATENCY=ROTATE,
        DEPTH=DEPTH,
    )

    @always_comb
    def handshake():
        s.ready.next = room and angles_ready
        take.next = s.valid and room and angles_ready
        enter.next = start or second
        label.last.next = ends and second

    # a pair enters rotate in two cycles: `start`, then `second`; the next pair is not complete before them
    @always(clk.posedge)
    def control():
        if rst:
            odd.next = False
            start.next = False
            second.next = False
            pair.next = 0
        else:
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
                label.tag.next = s.kind
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
    def report():
        saturated.next = clipped and travelling[LAST]

    return angles_, rotate_, pipeline_, handshake, control, pair_up, turn_factors, report


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters, by name."""
    max_pairs = cfg.max_head_dim // 2
    return dict(
        clk=bit(),
        rst=bit(),
        s=Stream(data=sint(cfg.f_bits), kind=uint(KIND_BITS), last=bit()),
        s_pos=Stream(pos=uint(cfg.pos_bits)),
        m=Stream(data=sint(cfg.f_bits), tag=uint(KIND_BITS), last=bit()),
        freq_we=bit(),
        freq_addr=uint(clog2(max_pairs)),
        freq_data=uint(PHASE_BITS),
        pairs=uint(clog2(max_pairs + 1)),
        saturated=bit(),
        CFG=cfg,
    )
