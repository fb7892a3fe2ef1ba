"""Groups of mantissas become words."""
from myhdl import always, always_comb, concat

from rtl.hdl.hierarchy import hblock
from rtl.stream.stream import bit


@hblock
def assemble(clk, rst, s, m):
    """s: Stream(data, exponent, tag, ends=bit(), last=bit()): groups, the first of a word low, `ends` on its last one.

    m: Stream(data, exponent, tag, last=bit()): words, a whole number of groups wide; last as beside `ends`.
    A group a cycle, a word one cycle after its last group.
    """
    GROUP, WORD = len(s.data), len(m.data)
    take = bit()

    @always_comb
    def accept():
        s.ready.next = m.ready or not m.valid
        take.next = s.valid and (m.ready or not m.valid)

    @always(clk.posedge)
    def control():
        if rst:
            m.valid.next = False
        elif m.ready or not m.valid:
            m.valid.next = s.valid and s.ends

    @always(clk.posedge)
    def label():
        if take:
            m.exponent.next = s.exponent
            m.tag.next = s.tag
            m.last.next = s.last

    @always(clk.posedge)
    def shift():
        if take:
            m.data.next = concat(s.data, m.data[WORD:GROUP])

    @always(clk.posedge)
    def copy():
        if take:
            m.data.next = s.data

    return accept, control, label, shift if WORD > GROUP else copy
