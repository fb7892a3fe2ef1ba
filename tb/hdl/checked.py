"""A design with a `check` that two of its inputs provoke."""

from myhdl import always

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit

MESSAGE = "both of them at once"


@hblock
def never_both(clk, rst, a, b):
    """A registered fault, unknown until the first edge, watched in a child."""
    fault = bit()
    watch = check(clk, rst, fault, MESSAGE=MESSAGE)

    @always(clk.posedge)
    def meet():
        fault.next = a and b

    return watch, meet


def ports():
    return dict(clk=bit(), rst=bit(), a=bit(), b=bit())
