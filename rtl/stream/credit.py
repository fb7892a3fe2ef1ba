"""Credits: how a pipeline that cannot stall is kept from overrunning the FIFO behind it."""
from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def credit(clk, rst, take, give, ready, DEPTH=4):
    """Counts DEPTH credits; `ready` is a register that says that one is left.

    take: in, this cycle takes a credit (only while `ready`); give: in, this cycle returns one; ready: out.
    A block takes one for each result that it starts and gives one for each that leaves its output FIFO, so the FIFO
    never overflows if it holds DEPTH. `ready` is low during reset and rises one cycle after it.
    """
    if DEPTH < 1:
        raise ValueError(f"credit: DEPTH must be 1 or more, not {DEPTH}")
    last = DEPTH - 1
    used = uint(DEPTH.bit_length())

    @always(clk.posedge)
    def count():
        if rst:
            used.next = 0
            ready.next = False
        elif take and not give:
            used.next = used + 1
            ready.next = used != last
        elif give and not take:
            used.next = used - 1
            ready.next = True
        else:
            ready.next = used != DEPTH

    return count


def ports(depth):
    """Fresh ports and parameters, by name."""
    return dict(clk=bit(), rst=bit(), take=bit(), give=bit(), ready=bit(), DEPTH=depth)
