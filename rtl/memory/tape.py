"""The weight tape in on-chip RAM: written once by the boot stream, then read from front to back, over and over."""

from myhdl import always, always_comb

from rtl.config import clog2
from rtl.hdl.hierarchy import hblock, unused
from rtl.memory.ram import ram
from rtl.stream.credit import credit
from rtl.stream.fifo import fifo
from rtl.stream.stream import Stream, bit, uint

FIFO_DEPTH = 8  # covers the read pipeline, so that a beat leaves every cycle


@hblock
def tape(clk, rst, s, m, DEPTH):
    """s: the beats (data, last) in boot order; m: the same beats (data), endlessly repeated, once `last` has come.

    DEPTH: beats that fit; the sender keeps within it. A new tape needs a reset. One beat a cycle.
    Prefetches up to FIFO_DEPTH beats across the end of the tape; the reader cannot tell it from a burst memory.
    """
    loaded = bit()
    length = uint(clog2(DEPTH))  # address of the last beat
    waddr = uint(clog2(DEPTH))
    raddr = uint(clog2(DEPTH))
    write = bit()
    issue = bit()
    granted = bit()
    in_ram = bit()
    given = bit()
    word = uint(len(s.data))
    fetched = Stream(data=uint(len(s.data)))
    unused(fetched.ready)  # the credits keep room

    memory = ram(clk, write, waddr, s.data, raddr, word, DEPTH=DEPTH, STYLE="block")
    credits = credit(clk, rst, issue, given, granted, DEPTH=FIFO_DEPTH)
    queue = fifo(clk, rst, fetched, m, DEPTH=FIFO_DEPTH)

    @always_comb
    def boot():
        s.ready.next = not loaded
        write.next = s.valid and not loaded

    @always_comb
    def moves():
        issue.next = granted and loaded
        given.next = m.valid and m.ready

    @always(clk.posedge)
    def control():
        if rst:
            loaded.next = False
            waddr.next = 0
            raddr.next = 0
            in_ram.next = False
            fetched.valid.next = False
        else:
            in_ram.next = issue
            fetched.valid.next = in_ram
            if write:
                if s.last:
                    loaded.next = True
                    length.next = waddr
                else:
                    waddr.next = waddr + 1
            if issue:
                if raddr == length:
                    raddr.next = 0
                else:
                    raddr.next = raddr + 1

    @always(clk.posedge)
    def register():
        fetched.data.next = word

    return memory, credits, queue, boot, moves, control, register
