"""Finished rows wait for the scalar of their vector, are narrowed and leave."""

from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.matvec import narrow as narrowing
from llama2_myhdl.rtl.matvec.narrow import narrow
from llama2_myhdl.rtl.matvec.streams import row_stream, scale_stream
from llama2_myhdl.rtl.stream import fifo as row_fifo
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.kinds import KIND_BITS

LATENCY = row_fifo.LATENCY + narrowing.LATENCY  # cycles from a row to m.valid, if nothing holds it


class Row(Payload):
    """A row's sum: acc; exponent: the row's own; kind, last: its tag; free: the last row of its vector."""

    def __init__(self, acc_bits, exponent_bits, kind_bits):
        super().__init__(acc=sint(acc_bits), exponent=sint(exponent_bits), kind=uint(kind_bits), last=bit(), free=bit())


@hblock
def results(clk, rst, arrives, row, s_scale, m, taken, saturated, DEPTH, SCALES):
    """m = the rows in order, each as golden.fixed.matvec.narrow makes it.

    arrives: in, `row` (Row) comes in this cycle; it cannot be held, so whoever starts rows keeps count: DEPTH rows may
    be under way or waiting, and `taken` (out) says that one of them takes no place any longer.
    s_scale: Stream(factor, scale), one a vector in order, before or after its rows; SCALES of them may wait here.
    m: Stream(data, kind, last); its data is no register. saturated: out, high for a cycle for each row that was
    clipped, the cycle after it comes to m.
    Latency LATENCY from the later one of row and scalar; one row a cycle.

        s_scale ─> fifo ─┐
        row ─────> fifo ─┴─> narrow ─> m
    """
    TAG_BITS = len(row.kind) + 1
    LAST_STAGE = narrowing.LATENCY - 1
    arriving, oldest = Stream(**row.types()), Stream(**row.types())
    scalar = s_scale.clone()
    advance, enter, lost = bit(), bit(), bit()
    clipped, fresh = bit(), bit()
    valids = uint(narrowing.LATENCY)  # bit k: stage k holds a row
    tags = [uint(TAG_BITS) for _ in range(narrowing.LATENCY)]
    rows_fifo = fifo(clk, rst, arriving, oldest, DEPTH=DEPTH)
    scalars_fifo = fifo(clk, rst, s_scale, scalar, DEPTH=SCALES)
    narrow_ = narrow(clk=clk, enable=advance, acc=oldest.acc, factor=scalar.factor, exponent=oldest.exponent,
                     scale=scalar.scale, y=m.data, clipped=clipped)
    check_ = check(clk, rst, lost, MESSAGE="a finished row finds no place")

    @always_comb
    def arrive():
        arriving.acc.next = row.acc
        arriving.exponent.next = row.exponent
        arriving.kind.next = row.kind
        arriving.last.next = row.last
        arriving.free.next = row.free
        arriving.valid.next = arrives
        lost.next = arrives and not arriving.ready

    @always_comb
    def moves():
        advance.next = m.ready or not m.valid
        enter.next = oldest.valid and scalar.valid and (m.ready or not m.valid)
        oldest.ready.next = scalar.valid and (m.ready or not m.valid)
        scalar.ready.next = oldest.valid and oldest.free and (m.ready or not m.valid)
        taken.next = enter

    @always(clk.posedge)
    def travel():
        if rst:
            valids.next = 0
        elif advance:
            valids.next = concat(valids[LAST_STAGE:], enter)

    @always(clk.posedge)
    def carry():
        if advance:
            tags[0].next = concat(oldest.last, oldest.kind)
            for k in range(1, len(tags)):
                tags[k].next = tags[k - 1]

    @always(clk.posedge)
    def renew():
        fresh.next = advance and not rst

    @always_comb
    def leave():
        m.valid.next = valids[LAST_STAGE]
        m.kind.next = tags[LAST_STAGE][TAG_BITS - 1 :]
        m.last.next = tags[LAST_STAGE][TAG_BITS - 1]

    @always(clk.posedge)
    def report():
        saturated.next = fresh and valids[LAST_STAGE] and clipped and not rst

    return rows_fifo, scalars_fifo, narrow_, check_, arrive, moves, travel, carry, renew, leave, report


def ports(cfg: BuildConfig, DEPTH: int, SCALES: int) -> dict:
    """Fresh ports and parameters for the rows of a build: `results(**ports(cfg, DEPTH, SCALES))`."""
    row = Row(cfg.acc_bits, cfg.exp_bits, KIND_BITS)
    streams = dict(s_scale=scale_stream(cfg), m=row_stream(cfg))
    strobes = {name: bit() for name in ("arrives", "taken", "saturated")}
    return dict(clk=bit(), rst=bit(), row=row, **streams, **strobes, DEPTH=DEPTH, SCALES=SCALES)
