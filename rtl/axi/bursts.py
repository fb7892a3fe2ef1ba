"""Cuts a region of memory into bursts, from front to back: over and over, or whenever it is asked for."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.axi import LEN_BITS
from llama2_myhdl.spec.config import clog2


def burst_stream(word_address_bits: int) -> Stream:
    """Bursts: word, address of the first beat in beats of the bus; len: beats less one, as ARLEN has it."""
    return Stream(word=uint(word_address_bits), len=uint(LEN_BITS))


@hblock
def bursts(clk, rst, enable, base, rest, m, BURST, ONCE=False, taken=None):
    """m: `burst_stream`: all words of the region in order, then again from its front; from registers.

    enable: in, the region is known and stays so until reset; base: address of its first word, in beats of the bus;
    rest: words behind the first one. BURST: 2 to 256, a power of two. A burst ends where an address is a multiple of
    BURST, and at the end of the region: so none crosses a page, which is a multiple of BURST beats. A burst every
    other cycle. ONCE: the region is read once, and then no more until reset.
    taken: out, if given: a region that is enabled is taken in this cycle and read once; the next one may be another.
    """
    INDEX = clog2(BURST)
    LAST = BURST - 1
    begun = bit()
    word = uint(len(base))
    behind = uint(len(rest))  # words of the region behind `word`
    to_edge = uint(INDEX)  # words behind `word` in its block of BURST

    @always_comb
    def look():
        to_edge.next = LAST - word[INDEX:]
        m.word.next = word

    @always(clk.posedge)
    def cut():
        if rst:
            m.valid.next = False
        elif not m.valid:
            m.valid.next = begun
        elif m.ready:
            m.valid.next = False

    @always(clk.posedge)
    def walk():
        if not begun:
            word.next = base
            behind.next = rest
        elif not m.valid:
            if behind < to_edge:
                m.len.next = behind
            else:
                m.len.next = to_edge
        elif m.ready:
            if behind == m.len:
                word.next = base
                behind.next = rest
            else:
                word.next = word + m.len + 1
                behind.next = behind - m.len - 1

    if ONCE:
        over = bit()

        @always(clk.posedge)
        def finish():
            if rst:
                begun.next = False
                over.next = False
            elif not begun:
                begun.next = enable and not over
            elif m.valid and m.ready and behind == m.len:
                begun.next = False
                over.next = True

        return look, cut, walk, finish

    if taken is None:

        @always(clk.posedge)
        def stay():
            if rst:
                begun.next = False
            elif enable:
                begun.next = True

        return look, cut, walk, stay

    @always_comb
    def take():
        taken.next = enable and not begun

    @always(clk.posedge)
    def follow():
        if rst:
            begun.next = False
        elif not begun:
            begun.next = enable
        elif m.valid and m.ready and behind == m.len:
            begun.next = False

    return look, cut, walk, take, follow


def ports(word_address_bits, rest_bits, burst, once=False):
    """Fresh ports and parameters, by name."""
    region = dict(base=uint(word_address_bits), rest=uint(rest_bits))
    m = burst_stream(word_address_bits)
    return dict(clk=bit(), rst=bit(), enable=bit(), **region, m=m, BURST=burst, ONCE=once)
