"""Beats of rows, each with its exponent in front, become the elements of residual vectors."""

from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.embedding.widen import LATENCY as WIDEN
from llama2_myhdl.rtl.embedding.widen import SHIFT_BITS, widen
from llama2_myhdl.rtl.stream import fifo as output_fifo
from llama2_myhdl.rtl.stream.pipeline import pipeline
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2

LATENCY = 1 + WIDEN + output_fifo.LATENCY  # cycles from the transfer of an exponent to the row's first element


@hblock
def row_elements(clk, rst, s, m, dim, CFG):
    """s: Stream(data), for each row a beat with the exponent (byte 0, signed), then its elements, in whole beats.

    m: Stream(data=F, last): mantissas times 2**exponent, `dim` elements a row, last on the last; it cannot saturate.
    dim: shape register, stable. One element a cycle, and a cycle between two rows.
    """
    LAST_LANE = CFG.lanes - 1
    EXP_BITS, F_FRAC = CFG.exp_bits, CFG.f_frac

    in_row, room, issue, ending = [bit() for _ in range(4)]  # in a row: its exponent is known
    lane = Signal(modbv(0)[clog2(CFG.lanes) :])
    remaining = uint(len(dim))
    exponent = sint(EXP_BITS)
    shift = uint(SHIFT_BITS)
    travelling = uint(WIDEN)
    result = Payload(data=sint(len(m.data)))

    widen_ = widen(clk, s.data, lane, shift, result.data, BITS=CFG.weight_bits)
    pipeline_ = pipeline(
        clk,
        rst,
        take=issue,
        enter=issue,
        label=Payload(last=ending),
        result=result,
        m=m,
        room=room,
        travelling=travelling,
        LATENCY=WIDEN,
        DEPTH=WIDEN + output_fifo.LATENCY + 3,
    )
    unused(travelling)

    @always_comb
    def handshake():
        issue.next = s.valid and in_row and room
        ending.next = remaining == 1
        s.ready.next = not in_row or (room and (lane == LAST_LANE or remaining == 1))

    @always(clk.posedge)
    def control():
        if rst:
            in_row.next = False
        elif not in_row:
            in_row.next = s.valid
        elif issue and ending:
            in_row.next = False

    @always(clk.posedge)
    def place():
        if not in_row:
            exponent.next = s.data[EXP_BITS:].signed()
            remaining.next = dim
            lane.next = 0
        elif issue:
            remaining.next = remaining - 1
            lane.next = lane + 1

    # a row's exponent gets here in time for its first element, and after the last one of the row before
    @always(clk.posedge)
    def offset():
        shift.next = exponent + F_FRAC

    return widen_, pipeline_, handshake, control, place, offset


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters, by name."""
    s, m = Stream(data=uint(cfg.beat_bits)), Stream(data=sint(cfg.f_bits), last=bit())
    return dict(clk=bit(), rst=bit(), s=s, m=m, dim=ShapeRegisters(cfg).dim, CFG=cfg)
