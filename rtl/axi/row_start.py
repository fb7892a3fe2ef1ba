"""Where the rows of a table in memory begin."""

from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import clog2


@hblock
def row_start(clk, rst, enable, first, row_words, s, m):
    """s: Stream(row), numbers of rows; m: Stream(word), first + row * row_words, modulo its width; from registers.

    enable: in, first and row_words stand fast, until reset; nothing is taken before. A row's word comes as many cycles
    and one more behind its number as row_words has bits, by shift-and-add; then the next number is taken.
    """
    STEPS = len(row_words)
    addend, word = [Signal(modbv(0)[len(m.word) :]) for _ in range(2)]
    left = uint(STEPS)
    step = uint(clog2(STEPS + 1))
    working = bit()

    @always_comb
    def handshake():
        s.ready.next = enable and not working and not m.valid

    @always_comb
    def show():
        m.word.next = word

    @always(clk.posedge)
    def control():
        if rst:
            working.next = False
            m.valid.next = False
        elif s.valid and s.ready:
            working.next = True
        elif working and step == STEPS - 1:
            working.next = False
            m.valid.next = True
        elif m.ready:
            m.valid.next = False

    @always(clk.posedge)
    def multiply():
        if not working and not m.valid:
            addend.next = s.row
            word.next = first
            left.next = row_words
            step.next = 0
        elif working:
            if left[0]:
                word.next = word + addend
            addend.next = addend << 1
            left.next = left >> 1
            step.next = step + 1

    return handshake, show, control, multiply


def ports(row_bits, words_bits, word_address_bits):
    """Fresh ports, by name; words_bits: of the words of a row."""
    numbers = dict(first=uint(word_address_bits), row_words=uint(words_bits))
    streams = dict(s=Stream(row=uint(row_bits)), m=Stream(word=uint(word_address_bits)))
    return dict(clk=bit(), rst=bit(), enable=bit(), **numbers, **streams)
