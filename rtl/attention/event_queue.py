"""Events that may come together, counted one by one."""
from myhdl import always, intbv

from rtl.hdl.hierarchy import hblock
from rtl.stream.stream import uint


@hblock
def event_queue(clk, rst, events, pulse, COUNT_BITS):
    """`pulse` is high for one cycle for each bit of `events` that was high in a cycle.

    Ports: clk, rst; events: any number of strobes; pulse: a register. At most 2**COUNT_BITS - 1 events may wait.
    """
    N = len(events)
    SUM_BITS = N.bit_length()
    found = uint(SUM_BITS)
    waiting = uint(COUNT_BITS)

    @always(clk.posedge)
    def add():
        ones = intbv(0)[SUM_BITS:]
        ones[:] = 0
        for i in range(N):
            if events[i]:
                ones[:] = ones + 1
        found.next = ones

    @always(clk.posedge)
    def pay_out():
        if rst:
            waiting.next = 0
            pulse.next = False
        elif waiting != 0:
            waiting.next = waiting + found - 1
            pulse.next = True
        else:
            waiting.next = found
            pulse.next = False

    return add, pay_out
