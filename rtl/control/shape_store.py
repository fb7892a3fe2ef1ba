"""Keeps the registers of a boot image as they pass, for the host to read."""

from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.control import WORD_BITS


@hblock
def shape_store(clk, rst, take, word, index, value, COUNT):
    """take: in, a beat of the image passes, whose low bits are word; rst forgets that some have. COUNT: registers.

    value: out, a cycle later, the register `index`; means nothing before the image is loaded.
    """
    words = [uint(WORD_BITS) for _ in range(COUNT)]
    number = uint(COUNT.bit_length())
    place = uint(clog2(COUNT))

    @always(clk.posedge)
    def follow():
        if rst:
            number.next = 0
            place.next = 0
        elif take and number != COUNT:
            number.next = number + 1
            place.next = number[len(place) :] + 1

    @always(clk.posedge)
    def keep():
        if take and number != COUNT:
            words[place].next = word

    @always(clk.posedge)
    def look_up():
        value.next = words[index]

    return follow, keep, look_up


def ports(count):
    """Fresh ports and parameters, by name."""
    pins = {name: bit() for name in ("clk", "rst", "take")}
    words = dict(word=uint(WORD_BITS), value=uint(WORD_BITS))
    return dict(**pins, **words, index=uint(clog2(count)), COUNT=count)
