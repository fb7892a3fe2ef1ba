"""Passes of query rows that wait for an attention unit."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.memory.ram import SMALL, ram
from llama2_myhdl.rtl.memory.ring import ring
from llama2_myhdl.rtl.stream import fifo as passing
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import clog2

LATENCY = passing.LATENCY  # cycles from a pass's last `push` to m
ROW_LATENCY = 2  # cycles from `read` to the rows


@hblock
def query_queue(clk, rst, push, lane, ends, row, exponent, base, lanes, last, m, read, q, qe, PASSES):
    """First in, first out: up to len(lane) query rows of one key/value head go through the unit side by side, a pass.

    Ports: clk, rst; push: `row` and its exponent enter as number `lane` (one-hot) of their pass; with `ends` the pass
    is whole, and base, lanes and last enter; m: Stream(base, lanes, last): the oldest pass; read: put the rows of the
    oldest pass not read into the registers q, qe (lane 0 low), ROW_LATENCY cycles later, not before m shows the pass.
    The feeder keeps to PASSES passes; a `push` too many ends a simulation.
    """
    QUERIES = len(lane)
    SIZE = 1 << clog2(PASSES)
    STYLE = "distributed" if SIZE <= SMALL else "auto"
    WORD = len(row) + len(exponent)
    write, reading = uint(clog2(SIZE)), uint(clog2(SIZE))
    count = uint(SIZE.bit_length())
    strobes = uint(QUERIES)
    too_many, some = bit(), bit()
    word = uint(WORD)
    found = [uint(WORD) for _ in range(QUERIES)]
    rows = [uint(len(row)) for _ in range(QUERIES)]
    exponents = [uint(len(exponent)) for _ in range(QUERIES)]
    wes = [bit() for _ in range(QUERIES)]
    held, all_found = uint(QUERIES * WORD), uint(QUERIES * WORD)
    entering = m.clone()

    joining = pack([row, exponent], word)
    selected = unpack(strobes, wes)
    rams = [ram(clk, we=wes[g], waddr=write, wdata=word, load=read, raddr=reading, rdata=found[g], DEPTH=SIZE,
                STYLE=STYLE) for g in range(QUERIES)]
    collecting = pack(found, all_found)
    parting = unpack(held, [field for pair in zip(rows, exponents) for field in pair])
    packing = pack(rows, q), pack(exponents, qe)
    fifo_ = fifo(clk, rst, entering, m, DEPTH=SIZE - 1)  # and one in its register
    ring_ = ring(clk=clk, rst=rst, push=entering.valid, pop=read, write=write, read=reading, count=count, some=some,
                 DEPTH=SIZE)
    unused(count, some)
    check_ = check(clk, rst, too_many, MESSAGE="a query row enters a full queue")

    @always_comb
    def enter():
        strobes.next = 0
        if push:
            strobes.next = lane
        entering.valid.next = push and ends
        entering.base.next = base
        entering.lanes.next = lanes
        entering.last.next = last
        too_many.next = push and not entering.ready

    @always(clk.posedge)
    def hold():  # what was found stays until the next read
        held.next = all_found

    return joining, selected, rams, collecting, parting, packing, fifo_, ring_, check_, enter, hold


def ports(QUERIES: int, ROW_BITS: int, EXPONENT_BITS: int, BASE_BITS: int, PASSES: int) -> dict:
    """Fresh ports and parameters for passes of so many queries, and rows, exponents and bases of these widths."""
    row = dict(push=bit(), lane=uint(QUERIES), ends=bit(), row=uint(ROW_BITS), exponent=uint(EXPONENT_BITS))
    label = dict(base=uint(BASE_BITS), lanes=uint(QUERIES), last=bit())
    m = Stream(base=uint(BASE_BITS), lanes=uint(QUERIES), last=bit())
    rows = dict(q=uint(QUERIES * ROW_BITS), qe=uint(QUERIES * EXPONENT_BITS))
    return dict(clk=bit(), rst=bit(), **row, **label, m=m, read=bit(), **rows, PASSES=PASSES)
