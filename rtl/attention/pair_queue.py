"""Pairs of a pipeline's heads, until it is their turn."""
from myhdl import always, always_comb

from rtl.hdl.check import check
from rtl.hdl.hierarchy import hblock
from rtl.hdl.lanes import pack_payload, unpack_payload
from rtl.stream.stream import bit, uint

LATENCY = 1  # cycles from `push` to m


@hblock
def pair_queue(clk, rst, push, pair, m, DEPTH):
    """First in, first out, for one that cannot wait: a `push` too many ends a simulation.

    Ports: clk, rst; push; pair: a Payload; m: a Stream of the same. DEPTH: 2 or more.
    A memory of look-up tables without a register behind it: read, chosen and registered in one cycle, see `collect`.
    """
    LAST = DEPTH - 1
    entry, found = uint(pair.width), uint(pair.width)
    memory = [uint(pair.width) for _ in range(DEPTH)]
    write, read = uint(LAST.bit_length()), uint(LAST.bit_length())
    count = uint(DEPTH.bit_length())
    pop, too_many = bit(), bit()
    packing = pack_payload(pair, entry)
    unpacking = unpack_payload(found, m)
    room = check(clk, rst, too_many, MESSAGE="a pair enters a full queue")

    @always_comb
    def moves():
        pop.next = m.valid and m.ready
        too_many.next = push and count == DEPTH

    @always(clk.posedge)
    def control():
        if rst:
            m.valid.next = False
            count.next = 0
            write.next = 0
            read.next = 0
        else:
            if push:
                if write == LAST:
                    write.next = 0
                else:
                    write.next = write + 1
            if pop:
                if read == LAST:
                    read.next = 0
                else:
                    read.next = read + 1
            if push and not pop:
                count.next = count + 1
                m.valid.next = True
            elif pop and not push:
                count.next = count - 1
                m.valid.next = count != 1

    @always(clk.posedge)
    def store():
        if push:
            memory[write].next = entry

    @always_comb
    def fetch():
        found.next = memory[read]

    return packing, unpacking, room, moves, control, store, fetch
