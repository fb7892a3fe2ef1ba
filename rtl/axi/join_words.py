"""From words to wider beats."""

from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import clog2


@hblock
def join_words(clk, rst, s, m):
    """s, m: Stream(data); a beat of m is two or more words of s, a power of two, the first one lowest; from registers.

    A word a cycle; `s.ready` follows `m.ready` within the cycle, while a whole beat waits.
    """
    WIDTH, TOP = len(s.data), len(m.data)
    COUNT = TOP // WIDTH
    LAST = COUNT - 1
    have = uint(clog2(COUNT))  # words of a beat that is not whole yet

    @always_comb
    def accept():
        s.ready.next = not m.valid or m.ready

    @always(clk.posedge)
    def control():
        if rst:
            m.valid.next = False
            have.next = 0
        elif s.ready:
            m.valid.next = s.valid and have == LAST
            if s.valid:
                if have == LAST:
                    have.next = 0
                else:
                    have.next = have + 1

    @always(clk.posedge)
    def shift():
        if s.ready and s.valid:
            m.data.next = concat(s.data, m.data[TOP:WIDTH])

    return accept, control, shift


def ports(word_bits, beat_bits):
    """Fresh ports, by name."""
    return dict(clk=bit(), rst=bit(), s=Stream(data=uint(word_bits)), m=Stream(data=uint(beat_bits)))
