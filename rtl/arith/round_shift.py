"""Right shift by a variable amount, rounded half up, then clipped."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith import saturate as clipping
from llama2_myhdl.rtl.arith.saturate import saturate
from llama2_myhdl.rtl.stream.stream import bit, sint, uint

LATENCY = 2 + clipping.LATENCY  # cycles from x and n to y

FINE_BITS = 3  # of the amount, done in the second of two stages


@hblock
def round_shift(clk, x, n, y, clipped):
    """y = saturate(round_shift(x, n)), bit for bit as golden.fixed.arith does. A pure pipeline, one value a cycle.

    Ports: clk; x signed; n unsigned, more than FINE_BITS bits; y signed, narrower than x; clipped bool, beside y.
    Latency LATENCY cycles.

        x, 0 ─> >> n[high:3] ─> (>> n[2:0], + 1) >> 1 ─> clip ─> y, clipped
    """
    NBITS, XBITS = len(n), len(x)
    if NBITS <= FINE_BITS:
        raise ValueError(f"round_shift: n must have more than {FINE_BITS} bits, has {NBITS}")
    LIM = 1 << XBITS
    COARSE = (1 << NBITS) - (1 << FINE_BITS)
    coarse = sint(XBITS + 1)  # one fraction bit more, for rounding
    n0 = uint(FINE_BITS)
    rounded = sint(XBITS)

    @always(clk.posedge)
    def shift():
        wide = intbv(0, min=-LIM, max=LIM)
        fine = intbv(0, min=-2 * LIM, max=2 * LIM)
        amount = intbv(0)[NBITS:]
        wide[:] = x
        wide[:] = wide << 1
        amount[:] = n & COARSE
        coarse.next = wide >> amount
        n0.next = n[FINE_BITS:]
        fine[:] = coarse
        fine[:] = fine >> n0
        fine[:] = fine + 1
        rounded.next = fine >> 1

    saturate_ = saturate(clk, rounded, y, clipped)
    return shift, saturate_


def ports(XBITS: int, NBITS: int, YBITS: int) -> dict:
    """Fresh ports of these widths."""
    return dict(clk=bit(), x=sint(XBITS), n=uint(NBITS), y=sint(YBITS), clipped=bit())
