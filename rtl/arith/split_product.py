"""A wide signed product from two 18x18 multipliers."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, sint

LATENCY = 1  # cycles from x and w to the partial products
LOW_BITS = 16  # bits of x that the low multiplier takes; the products overlap by this much


@hblock
def split_product(clk, x, w, high, low):
    """x * w = (high << LOW_BITS) + low, each partial product in one DSP and registered once. One product a cycle.

    Ports: clk; x signed, up to 34 bits; w signed, up to 18 bits; high signed, len(x) - LOW_BITS + len(w) bits;
    low signed, LOW_BITS + 1 + len(w) bits. The caller adds them: when only bits above LOW_BITS matter,
    (x * w) >> LOW_BITS = high + (low >> LOW_BITS) exactly.
    """
    XBITS = len(x)
    TOP = 1 << (XBITS - LOW_BITS - 1)
    BOTTOM = 1 << LOW_BITS

    @always(clk.posedge)
    def multiply():
        upper = intbv(0, min=-TOP, max=TOP)
        lower = intbv(0, min=-BOTTOM, max=BOTTOM)
        upper[:] = x[XBITS:LOW_BITS].signed()
        lower[:] = x[LOW_BITS:]  # unsigned, widened
        high.next = upper * w
        low.next = lower * w

    return multiply


def ports(XBITS: int, WBITS: int) -> dict:
    """Fresh ports for factors of these widths."""
    products = dict(high=sint(XBITS - LOW_BITS + WBITS), low=sint(LOW_BITS + 1 + WBITS))
    return dict(clk=bit(), x=sint(XBITS), w=sint(WBITS), **products)
