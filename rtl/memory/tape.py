"""A weight tape in on-chip RAM: written once by the boot stream, then read from front to back, over and over."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.stream.credit import credit
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import clog2

FIFO_DEPTH = 8  # covers the read pipeline, so that a beat leaves every cycle


@hblock
def tape(clk, rst, s, m_boot, m, parts, part_beats, DEPTH):
    """s: boot beats (data, last); the first parts * part_beats of them are this tape's, the others pass to m_boot.

    m: the tape's beats (data), endlessly repeated, once it is complete. parts, part_beats: at least 1 each, stable
    before the first beat; the product is at most DEPTH, the sender sees to it. A new tape needs a reset.
    One beat a cycle: prefetches up to FIFO_DEPTH beats across the end of the tape, so a reader never waits (checked).
    """
    loaded = bit()
    length = uint(clog2(DEPTH))  # address of the last beat
    waddr = uint(clog2(DEPTH))
    raddr = uint(clog2(DEPTH))
    part, beat = uint(len(parts)), uint(len(part_beats))
    write = bit()
    issue = bit()
    granted = bit()
    in_ram = bit()
    given = bit()
    running, underrun = bit(), bit()
    word = uint(len(s.data))
    fetched = Stream(data=uint(len(s.data)))
    unused(fetched.ready)  # the credits keep room

    memory = ram(clk, write, waddr, s.data, raddr, word, DEPTH=DEPTH, STYLE="block")
    credits = credit(clk, rst, issue, given, granted, DEPTH=FIFO_DEPTH)
    queue = fifo(clk, rst, fetched, m, DEPTH=FIFO_DEPTH)
    starved = check(clk, rst, underrun, MESSAGE="tape underrun")

    @always_comb
    def boot():
        write.next = s.valid and not loaded
        m_boot.valid.next = s.valid and loaded
        m_boot.data.next = s.data
        m_boot.last.next = s.last
        if loaded:
            s.ready.next = m_boot.ready
        else:
            s.ready.next = True

    @always_comb
    def moves():
        issue.next = granted and loaded
        given.next = m.valid and m.ready
        underrun.next = running and m.ready and not m.valid

    @always(clk.posedge)
    def fill():
        if rst:
            loaded.next = False
            waddr.next = 0
            part.next = 1
            beat.next = 1
        elif write:
            length.next = waddr
            if beat != part_beats:
                beat.next = beat + 1
                waddr.next = waddr + 1
            elif part != parts:
                beat.next = 1
                part.next = part + 1
                waddr.next = waddr + 1
            else:
                loaded.next = True

    @always(clk.posedge)
    def read():
        if rst:
            raddr.next = 0
            in_ram.next = False
            fetched.valid.next = False
            running.next = False
        else:
            in_ram.next = issue
            fetched.valid.next = in_ram
            if m.valid:
                running.next = True
            if issue:
                if raddr == length:
                    raddr.next = 0
                else:
                    raddr.next = raddr + 1

    @always(clk.posedge)
    def register():
        fetched.data.next = word

    return memory, credits, queue, starved, boot, moves, fill, read, register
