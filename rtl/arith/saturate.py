"""Clipping of a wide signed value to a narrower one."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, sint

LATENCY = 1  # cycles from x to y


@hblock
def saturate(clk, x, y, clipped):
    """y = x clipped to the signed range of y; `clipped` says that it was. A pure pipeline, one value a cycle.

    Ports: clk; x signed; y signed, narrower than x; clipped bool, beside y. Latency LATENCY cycles.
    """
    XBITS, YBITS = len(x), len(y)
    if XBITS <= YBITS:
        raise ValueError(f"saturate: y has {YBITS} bits, must have fewer than x, which has {XBITS}")
    SIGN = YBITS - 1
    UPPER_ONES = (1 << (XBITS - SIGN)) - 1  # sign and all bits above y: all alike when x fits
    LOWER_ONES = (1 << SIGN) - 1

    @always(clk.posedge)
    def clip():
        bits = intbv(0)[YBITS:]
        if x[XBITS:SIGN] == 0 or x[XBITS:SIGN] == UPPER_ONES:
            bits[:] = x[YBITS:]
            clipped.next = False
        else:
            if x[XBITS - 1]:
                bits[:] = 0
                bits[SIGN] = True
            else:
                bits[:] = LOWER_ONES
            clipped.next = True
        y.next = bits.signed()

    return clip


def ports(XBITS: int, YBITS: int) -> dict:
    """Fresh ports of these widths."""
    return dict(clk=bit(), x=sint(XBITS), y=sint(YBITS), clipped=bit())
