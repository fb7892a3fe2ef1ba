"""From words to narrower beats."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import clog2


@hblock
def split_words(clk, rst, s, m, tail):
    """s: Stream(data, last); m: Stream(data), the beats that a word consists of, the lowest first, from registers.

    tail: in, beats of a word with `last`, less one: what else is in it is dropped. A word is two or more beats, a power
    of two. One beat a cycle; `s.ready` follows `m.ready` within the cycle.
    """
    WIDTH = len(m.data)
    LAST = len(s.data) // WIDTH - 1
    word = uint(len(s.data))
    rest = uint(clog2(LAST + 1))  # beats behind the one that m shows

    @always_comb
    def accept():
        s.ready.next = not m.valid or (m.ready and rest == 0)

    @always_comb
    def show():
        m.data.next = word[WIDTH:]

    @always(clk.posedge)
    def control():
        if rst:
            m.valid.next = False
        elif s.ready:
            m.valid.next = s.valid

    @always(clk.posedge)
    def shift():
        if s.ready:
            if s.valid:
                word.next = s.data
                if s.last:
                    rest.next = tail
                else:
                    rest.next = LAST
        elif m.ready:
            word.next = word >> WIDTH
            rest.next = rest - 1

    return accept, show, control, shift


def ports(word_bits, beat_bits):
    """Fresh ports, by name."""
    s, m = Stream(data=uint(word_bits), last=bit()), Stream(data=uint(beat_bits))
    return dict(clk=bit(), rst=bit(), s=s, m=m, tail=uint(clog2(word_bits // beat_bits)))
