"""The cost of a logit: how far its probability lies below one, in powers of two, at the sequence's temperature."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith.split_product import LATENCY as PRODUCT
from llama2_myhdl.rtl.arith.split_product import LOW_BITS, split_product
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.sampling import COST_BITS, SCALE_BITS, SHIFT_BITS, SHIFT_MAX, SHIFT_MIN

LATENCY = PRODUCT + 2  # cycles from x to u


@hblock
def cost(clk, x, scale, shift, u):
    """u = golden.fixed.sampler.cost: (-x * (1 + scale)) >> shift, of which 2**-u is a weight. A cost a cycle.

    Ports: clk; x sint(F_BITS), 12.20; scale uint(SCALE_BITS), 0.16; shift uint(SHIFT_BITS), SHIFT_MIN .. SHIFT_MAX,
    both standing still from a cycle before x until u; u sint(COST_BITS), 16 fraction bits, LATENCY cycles after x. Two
    multipliers (18x18).

        x ─> * -(1 + scale) ─> + ─> >> shift ─> u
    """
    FACTOR_BITS = SCALE_BITS + 2
    FACTOR_LIM = 1 << (FACTOR_BITS - 1)
    ONE = 1 << SCALE_BITS
    TOTAL = F_BITS + SCALE_BITS + 2
    LIM = 1 << (TOTAL - 1)
    MOST = SHIFT_MAX - SHIFT_MIN
    WRAP = 1 << SHIFT_BITS
    factor = sint(FACTOR_BITS)
    high, low = sint(F_BITS - LOW_BITS + FACTOR_BITS), sint(LOW_BITS + 1 + FACTOR_BITS)
    total = sint(TOTAL - SHIFT_MIN)
    amount = uint(MOST.bit_length())

    split_product_ = split_product(clk, x, factor, high, low)

    @always(clk.posedge)
    def prepare():
        wide = intbv(0, min=-FACTOR_LIM, max=FACTOR_LIM)
        less = intbv(0)[SHIFT_BITS + 1:]
        wide[:] = scale
        factor.next = -wide - ONE
        less[:] = shift + WRAP - SHIFT_MIN
        amount.next = less[len(amount):]

    @always(clk.posedge)
    def add():
        sum_ = intbv(0, min=-LIM, max=LIM)
        sum_[:] = high
        sum_[:] = (sum_ << LOW_BITS) + low
        total.next = sum_ >> SHIFT_MIN

    @always(clk.posedge)
    def divide():
        u.next = total >> amount

    return split_product_, prepare, add, divide


def ports() -> dict:
    """Fresh ports."""
    return dict(clk=bit(), x=sint(F_BITS), scale=uint(SCALE_BITS), shift=uint(SHIFT_BITS), u=sint(COST_BITS))
