"""Accumulator to F: the hardware of golden.fixed.matvec.narrow."""

from myhdl import always, always_comb, concat, intbv

from rtl.arith import round_shift as rounding
from rtl.arith import split_product as splitting
from rtl.arith.round_shift import round_shift
from rtl.arith.split_product import LOW_BITS, split_product
from rtl.hdl.hierarchy import hblock
from rtl.stream.stream import sint, uint

SHIFT_BITS = 6  # shifts of 0 .. 63, as MAX_SHIFT of the golden model

LATENCY = splitting.LATENCY + 1 + rounding.LATENCY  # cycles from acc to y


@hblock
def narrow(clk, acc, factor, exponent, scale, y, clipped):
    """y = acc * factor >> -(exponent + scale), rounded half up and saturated. A pure pipeline, one row a cycle.

    Ports: clk; acc signed; factor unsigned, at most 17 bits; exponent, scale signed; y signed, narrower than the
    product; clipped bool, beside y: saturation changed the value. The shift is clipped to 0 .. 2**SHIFT_BITS - 1.
    Latency LATENCY cycles. Two 18 x 18 multipliers for acc of up to 34 bits, three beyond.

        acc, factor ─────> partial products ─> product ─> round_shift ─> y, clipped
        exponent, scale ─> sum ──────────────> shift ─────────┘
    """
    W_BITS = len(factor) + 1
    PRODUCT_BITS = len(acc) + W_BITS
    SUM_BITS = max(len(exponent), len(scale)) + 1
    SUM_LIM = 1 << (SUM_BITS - 1)
    UPPER_BITS = PRODUCT_BITS - LOW_BITS
    UPPER_LIM = 1 << (UPPER_BITS - 1)
    LOW_LIM = 1 << (LOW_BITS + W_BITS)
    MAX_SHIFT = (1 << SHIFT_BITS) - 1

    weight = sint(W_BITS)
    high, low = sint(UPPER_BITS), sint(LOW_BITS + 1 + W_BITS)
    product = sint(PRODUCT_BITS)
    exponent_sum = sint(SUM_BITS)
    shift = uint(SHIFT_BITS)
    partial_products = split_product(clk, acc, weight, high, low)
    rounding_shift = round_shift(clk, product, shift, y, clipped)

    @always_comb
    def widen():
        weight.next = factor

    @always(clk.posedge)
    def add():
        upper = intbv(0, min=-UPPER_LIM, max=UPPER_LIM)
        carry = intbv(0, min=-LOW_LIM, max=LOW_LIM)
        bits = intbv(0)[PRODUCT_BITS:]
        carry[:] = low
        carry[:] = carry >> LOW_BITS
        upper[:] = high + carry
        bits[:] = concat(upper[UPPER_BITS:], low[LOW_BITS:])
        product.next = bits.signed()

    @always(clk.posedge)
    def amount():
        negated = intbv(0, min=-SUM_LIM, max=SUM_LIM + 1)
        exponent_sum.next = exponent + scale
        negated[:] = -exponent_sum
        if negated < 0:
            shift.next = 0
        elif negated > MAX_SHIFT:
            shift.next = MAX_SHIFT
        else:
            shift.next = negated[SHIFT_BITS:]

    return partial_products, rounding_shift, widen, add, amount
