"""Sends bytes over a serial line: 8 data bits, no parity, one stop bit."""

from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.board.bit_clock import bit_clock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint

STOP = 9  # number of the stop bit, behind the start bit and 8 of data


@hblock
def uart_tx(clk, rst, s, txd, CLOCKS, BITS):
    """s: Stream(data = a byte); txd: out, the line, a register, high when idle. CLOCKS, BITS: as `ratio` gives them.

    A byte takes 10 bits, in whole cycles, and the cycle in which it is taken.
    """
    active, begins, tick = bit(), bit(), bit()
    count = uint(STOP.bit_length())
    shift = uint(8)
    bit_clock_ = bit_clock(clk, begins, tick, CLOCKS=CLOCKS, BITS=BITS)

    @always_comb
    def accept():
        s.ready.next = not active
        begins.next = s.valid and not active

    @always(clk.posedge)
    def control():
        if rst:
            active.next = False
            txd.next = True
        elif begins:
            active.next = True
            txd.next = False
        elif active and tick:
            txd.next = shift[0]
            if count == STOP:
                active.next = False

    @always(clk.posedge)
    def spend():
        if begins:
            count.next = 0
            shift.next = s.data
        elif tick:
            count.next = count + 1
            shift.next = concat(True, shift[8:1])

    return bit_clock_, accept, control, spend


def ports(clocks, bits):
    """Fresh ports and parameters, by name."""
    return dict(clk=bit(), rst=bit(), s=Stream(data=uint(8)), txd=bit(), CLOCKS=clocks, BITS=bits)
