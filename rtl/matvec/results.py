"""Finished rows wait for the scalar of their vector, are narrowed and leave."""

from myhdl import always, always_comb, concat

from rtl.hdl.check import check
from rtl.hdl.hierarchy import hblock
from rtl.matvec import narrow as narrowing
from rtl.matvec.narrow import narrow
from rtl.stream.fifo import fifo
from rtl.stream.stream import Payload, Stream, bit, sint, uint

LATENCY = narrowing.LATENCY  # cycles from a row to m.valid, if nothing holds it


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
    m: Stream(data, kind, last). saturated: out, high for a cycle for each row that was clipped.
    Latency LATENCY from the later one of row and scalar (a scalar arrives a cycle after its transfer); one row a cycle.

        s_scale ─> fifo ──────────┐
        row ─┬──────────────────┬─┴─> narrow ─> m
             └─> fifo (waiting) ┘
    """
    TAG_BITS = len(row.kind) + 1
    LAST_STAGE = LATENCY - 1
    oldest, queue = Stream(**row.types()), Stream(**row.types())
    scalar = s_scale.clone()
    acc, exponent = sint(len(row.acc)), sint(len(row.exponent))
    first_tag, free = uint(TAG_BITS), bit()  # of the row that is next
    advance, enter, lost = bit(), bit(), bit()
    clipped, fresh = bit(), bit()
    valids = uint(LATENCY)  # bit k: stage k holds a row
    tags = [uint(TAG_BITS) for _ in range(LATENCY)]
    waiting_rows = fifo(clk, rst, queue, oldest, DEPTH=DEPTH)
    waiting_scalars = fifo(clk, rst, s_scale, scalar, DEPTH=SCALES)
    arithmetic = narrow(clk, advance, acc, scalar.factor, exponent, scalar.scale, m.data, clipped)
    no_overflow = check(clk, rst, lost, MESSAGE="a finished row finds no place")

    @always_comb
    def enqueue():
        queue.acc.next = row.acc
        queue.exponent.next = row.exponent
        queue.kind.next = row.kind
        queue.last.next = row.last
        queue.free.next = row.free
        queue.valid.next = arrives and (oldest.valid or not (scalar.valid and advance))
        lost.next = queue.valid and not queue.ready

    # a row that nobody waits before does not go through the FIFO
    @always_comb
    def choose():
        if oldest.valid:
            acc.next = oldest.acc
            exponent.next = oldest.exponent
            first_tag.next = concat(oldest.last, oldest.kind)
            free.next = oldest.free
        else:
            acc.next = row.acc
            exponent.next = row.exponent
            first_tag.next = concat(row.last, row.kind)
            free.next = row.free

    @always_comb
    def moves():
        advance.next = m.ready or not m.valid
        oldest.ready.next = scalar.valid and advance
        enter.next = scalar.valid and advance and (oldest.valid or arrives)
        scalar.ready.next = advance and (oldest.valid or arrives) and free
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
            tags[0].next = first_tag
            for k in range(1, LATENCY):
                tags[k].next = tags[k - 1]

    @always(clk.posedge)
    def renew():
        fresh.next = advance and not rst

    @always_comb
    def leave():
        m.valid.next = valids[LAST_STAGE]
        m.kind.next = tags[LAST_STAGE][TAG_BITS - 1 :]
        m.last.next = tags[LAST_STAGE][TAG_BITS - 1]
        saturated.next = fresh and valids[LAST_STAGE] and clipped

    return (
        waiting_rows,
        waiting_scalars,
        arithmetic,
        no_overflow,
        enqueue,
        choose,
        moves,
        travel,
        carry,
        renew,
        leave,
    )
