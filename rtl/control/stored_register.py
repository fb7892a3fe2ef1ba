"""A setting: one register that the host writes."""

from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.control import INDEX_BITS, WORD_BITS


@hblock
def stored_register(clk, rst, write, index, word, value, number, RESET=0):
    """value: out, the low bits of `word` since register `number` was last written, RESET behind a reset."""
    BITS = len(value)

    @always(clk.posedge)
    def keep():
        if rst:
            value.next = RESET
        elif write and index == number:
            value.next = word[BITS:]

    return keep


def ports(bits, reset):
    """Fresh ports and parameters, by name."""
    pins = {name: bit() for name in ("clk", "rst", "write")}
    numbers = dict(index=uint(INDEX_BITS), number=uint(INDEX_BITS))
    return dict(**pins, **numbers, word=uint(WORD_BITS), value=uint(bits), RESET=reset)
