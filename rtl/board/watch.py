"""Tells when the decoder's state has changed."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.errors import ERROR_BITS


def state_stream() -> Stream:
    """`loaded` and `error` of the decoder, as they have become."""
    return Stream(loaded=bit(), error=uint(ERROR_BITS))


@hblock
def watch(clk, rst, loaded, error, m):
    """loaded, error: in, of the decoder; m: `state_stream`, a beat when they are others than m has last said.

    What changes while a beat waits is told behind it; what changes back by then is not told at all.
    """
    differs = bit()

    @always_comb
    def compare():
        differs.next = loaded != m.loaded or error != m.error

    @always(clk.posedge)
    def tell():
        if rst:
            m.valid.next = False
            m.loaded.next = False
            m.error.next = 0
        elif m.ready or not m.valid:
            m.valid.next = differs
            m.loaded.next = loaded
            m.error.next = error

    return compare, tell


def ports():
    """Fresh ports, by name."""
    return dict(clk=bit(), rst=bit(), loaded=bit(), error=uint(ERROR_BITS), m=state_stream())
