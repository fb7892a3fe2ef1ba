"""A weight tape in on-chip RAM: written once by the boot stream, then read from front to back, over and over."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.memory import banked_ram as store
from llama2_myhdl.rtl.memory.banked_ram import banked_ram
from llama2_myhdl.rtl.memory.reader import reader
from llama2_myhdl.rtl.stream.split import split
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import clog2


@hblock
def tape(clk, rst, s, m_boot, m, parts, part_beats, DEPTH):
    """s: boot beats (data, last); the first parts * part_beats of them are this tape's, the others pass to m_boot.

    m: the tape's beats (data), endlessly repeated, once it is complete. parts, part_beats: at least 1 each, stable
    before the first beat; the product is at most DEPTH, the sender sees to it. A new tape needs a reset.
    One beat a cycle: beats are read ahead, across the end of the tape, so a reader never waits.
    """
    LATENCY = store.latency(DEPTH, len(s.data), spread=True)
    loaded = bit()
    length = uint(clog2(DEPTH))  # address of the last beat
    waddr = uint(clog2(DEPTH))
    part, beat = uint(len(parts)), uint(len(part_beats))
    own = Stream(data=uint(len(s.data)), last=bit())
    unused(own.last)
    wanted = Stream(address=uint(clog2(DEPTH)))
    raddr = uint(clog2(DEPTH))
    word = uint(len(s.data))

    split_ = split(s, own, m_boot, loaded)
    banked_ram_ = banked_ram(
        clk, we=own.valid, waddr=waddr, wdata=own.data, raddr=raddr, rdata=word, DEPTH=DEPTH, SPREAD=True
    )
    reader_ = reader(clk, rst, wanted, m, raddr, word, LATENCY=LATENCY)

    @always_comb
    def flow():
        own.ready.next = True
        wanted.valid.next = loaded

    @always(clk.posedge)
    def fill():
        if rst:
            loaded.next = False
            waddr.next = 0
            part.next = 1
            beat.next = 1
        elif own.valid:
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
    def turn():
        if rst:
            wanted.address.next = 0
        elif wanted.valid and wanted.ready:
            if wanted.address == length:
                wanted.address.next = 0
            else:
                wanted.address.next = wanted.address + 1

    return split_, banked_ram_, reader_, flow, fill, turn


def ports(beat_bits, part_bits, depth):
    """Fresh ports and parameters, by name; part_bits: width of `parts` and `part_beats`."""
    beats = {name: Stream(data=uint(beat_bits), last=bit()) for name in ("s", "m_boot")}
    sizes = dict(parts=uint(part_bits), part_beats=uint(part_bits))
    return dict(clk=bit(), rst=bit(), **beats, m=Stream(data=uint(beat_bits)), **sizes, DEPTH=depth)
