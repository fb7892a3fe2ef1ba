"""Query rows that wait for an attention unit."""
from myhdl import always, always_comb

from rtl.config import clog2
from rtl.hdl.hierarchy import hblock
from rtl.hdl.lanes import pack, unpack
from rtl.memory.ram import ram
from rtl.stream.stream import bit, uint

SPACING = 3  # least cycles between two `take`s, and between two `load`s
LATENCY = 2  # cycles from `push` to `waiting`
_SMALL = 64  # rows up to which the memories are made of look-up tables


@hblock
def query_queue(clk, rst, push, row, exponent, base, waiting, take, head_base, load, q, qe, ROWS):
    """First in, first out, with two readers: `take` for where the head's keys are, `load` for the row itself.

    Ports: clk, rst; push: a row, its exponent and the base address of its key rows enter; waiting: a row was not taken;
    head_base: the base of the oldest row not taken, good while `waiting`; load: put the oldest row not loaded into the
    registers q, qe, a cycle later. The feeder keeps to ROWS rows that are not loaded.
    """
    SIZE = 1 << clog2(ROWS)
    LAST = SIZE - 1
    STYLE = "distributed" if SIZE <= _SMALL else "auto"
    write, taking, loading = [uint(clog2(SIZE)) for _ in range(3)]
    count = uint(SIZE.bit_length())
    arrived = bit()  # one cycle behind `push`, when the row can be read
    word, found, held = [uint(len(row) + len(exponent)) for _ in range(3)]

    joining = pack([row, exponent], word)
    # the oldest row's place is read all the time: what it gives is used some cycles after the place was written
    rows = ram(clk, push, write, word, loading, found, DEPTH=SIZE, STYLE=STYLE)
    bases = ram(clk, push, write, base, taking, head_base, DEPTH=SIZE, STYLE=STYLE)
    parting = unpack(held, [q, qe])

    @always(clk.posedge)
    def pointers():
        if rst:
            write.next = 0
            taking.next = 0
            loading.next = 0
        else:
            if push:
                if write == LAST:
                    write.next = 0
                else:
                    write.next = write + 1
            if take:
                if taking == LAST:
                    taking.next = 0
                else:
                    taking.next = taking + 1
            if load:
                if loading == LAST:
                    loading.next = 0
                else:
                    loading.next = loading + 1

    @always(clk.posedge)
    def occupancy():
        if rst:
            count.next = 0
            arrived.next = False
        else:
            arrived.next = push
            if arrived and not take:
                count.next = count + 1
            elif take and not arrived:
                count.next = count - 1

    @always_comb
    def state():
        waiting.next = count != 0

    @always(clk.posedge)
    def data():
        if load:
            held.next = found

    return joining, rows, bases, parting, pointers, occupancy, state, data
