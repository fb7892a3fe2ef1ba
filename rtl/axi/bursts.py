"""Cuts runs of words in memory into bursts."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.axi import LEN_BITS
from llama2_myhdl.spec.config import clog2


def burst_stream(word_address_bits: int) -> Stream:
    """Bursts: word, address of the first beat in beats of the bus; len: beats less one, as ARLEN has it."""
    return Stream(word=uint(word_address_bits), len=uint(LEN_BITS))


def run_stream(word_address_bits: int, rest_bits: int) -> Stream:
    """Runs: word, address of the first beat in beats of the bus; rest: beats behind it."""
    return Stream(word=uint(word_address_bits), rest=uint(rest_bits))


def piece_stream(word_address_bits: int) -> Stream:
    """A `burst_stream` that tells the last burst of a run, `last`."""
    return Stream(**burst_stream(word_address_bits).types(), last=bit())


@hblock
def bursts(clk, rst, s, m, BURST):
    """s: `run_stream`; m: `piece_stream`, the words of each run in order, from registers.

    BURST: 2 to 256, a power of two. A burst ends where an address is a multiple of BURST, and at the end of the run: so
    none crosses a page, which is a multiple of BURST beats. A burst every other cycle, a run every third one.
    """
    INDEX = clog2(BURST)
    LAST = BURST - 1
    begun = bit()
    word = uint(len(s.word))
    behind = uint(len(s.rest))  # words of the run behind `word`
    to_edge = uint(INDEX)  # words behind `word` in its block of BURST

    @always_comb
    def look():
        to_edge.next = LAST - word[INDEX:]
        m.word.next = word

    @always(clk.posedge)
    def cut():
        if rst:
            begun.next = False
            s.ready.next = False
            m.valid.next = False
        elif not begun:
            begun.next = s.valid and s.ready
            s.ready.next = not (s.valid and s.ready)
        elif not m.valid:
            m.valid.next = True
        elif m.ready:
            m.valid.next = False
            begun.next = not m.last
            s.ready.next = m.last

    @always(clk.posedge)
    def walk():
        if not begun:
            word.next = s.word
            behind.next = s.rest
        elif not m.valid:
            m.last.next = behind <= to_edge
            if behind < to_edge:
                m.len.next = behind
            else:
                m.len.next = to_edge
        elif m.ready:
            word.next = word + m.len + 1
            behind.next = behind - m.len - 1

    return look, cut, walk


def ports(word_address_bits, rest_bits, burst):
    """Fresh ports and parameters, by name."""
    s = run_stream(word_address_bits, rest_bits)
    return dict(clk=bit(), rst=bit(), s=s, m=piece_stream(word_address_bits), BURST=burst)
