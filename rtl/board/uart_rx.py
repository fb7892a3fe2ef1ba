"""Receives bytes from a serial line: 8 data bits, no parity, one stop bit."""

from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.board.bit_clock import bit_clock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint

STOP = 9  # number of the stop bit, behind the start bit and 8 of data


@hblock
def uart_rx(clk, rst, rxd, m, CLOCKS, BITS):
    """rxd: in, the line, high when idle, of any phase; m: Stream(data = a byte). CLOCKS, BITS: as `ratio` gives them.

    Bits are sampled once, in their middle. A start bit that is over by then is no start; a byte without a stop bit is
    dropped, and so is one that comes while the one before still waits at m: the frame's checksum tells.
    A byte stands at m in the middle of its stop bit, and the next start bit may begin there.
    """
    # two registers against metastability, and what the line was a cycle ago
    settling, line, earlier = bit(True), bit(True), bit(True)
    active, begins, tick = bit(), bit(), bit()
    count = uint(STOP.bit_length())
    shift = uint(8)
    bit_clock_ = bit_clock(clk, begins, tick, CLOCKS=CLOCKS, BITS=BITS, START=CLOCKS // 2 + BITS)

    @always_comb
    def recognise():
        begins.next = earlier and not line and not active

    @always(clk.posedge)
    def synchronise():
        settling.next = rxd
        line.next = settling
        earlier.next = line

    @always(clk.posedge)
    def control():
        if rst:
            active.next = False
            m.valid.next = False
        else:
            if m.ready:
                m.valid.next = False
            if begins:
                active.next = True
            elif active and tick:
                if count == STOP:
                    active.next = False
                    if line:
                        m.valid.next = True
                elif count == 0 and line:
                    active.next = False

    @always(clk.posedge)
    def collect():
        if begins:
            count.next = 0
        elif active and tick:
            if count == STOP:
                if m.ready or not m.valid:
                    m.data.next = shift
            else:
                count.next = count + 1
                shift.next = concat(line, shift[8:1])

    return bit_clock_, recognise, synchronise, control, collect


def ports(clocks, bits):
    """Fresh ports and parameters, by name."""
    return dict(clk=bit(), rst=bit(), rxd=bit(True), m=Stream(data=uint(8)), CLOCKS=clocks, BITS=bits)
