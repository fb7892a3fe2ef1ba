"""Events that are kept until the host clears them, and the line that tells of them."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint

EVENTS = ("loaded", "failed", "token", "ended")  # bit by bit


@hblock
def interrupts(clk, rst, events, clear, enable, status, irq):
    """events: in, those of this cycle; clear: in, those to be forgotten, unless they happen in that cycle; enable: in,
    those that raise irq. status: out, a register, those that have happened; irq: out, high while an enabled one has.
    """
    @always_comb
    def tell():
        irq.next = (status & enable) != 0

    @always(clk.posedge)
    def keep():
        if rst:
            status.next = 0
        else:
            status.next = (status & ~clear) | events

    return tell, keep


def ports():
    """Fresh ports, by name."""
    words = {name: uint(len(EVENTS)) for name in ("events", "clear", "enable", "status")}
    return dict(clk=bit(), rst=bit(), **words, irq=bit())
