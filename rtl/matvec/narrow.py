"""Accumulator to F: the hardware of golden.fixed.matvec.narrow."""

from myhdl import always, always_comb, concat, intbv, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith.round_shift import FINE_BITS
from llama2_myhdl.rtl.arith.split_product import LOW_BITS
from llama2_myhdl.rtl.matvec.streams import FACTOR_BITS, SCALE_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig

SHIFT_BITS = 6  # shifts of 0 .. 63, as MAX_SHIFT of the golden model

LATENCY = 4  # enabled cycles from acc to y


@hblock
def narrow(clk, enable, acc, factor, exponent, scale, y, clipped):
    """y = acc * factor >> -(exponent + scale), rounded half up and saturated. A pipeline, one row a cycle.

    Ports: clk; enable: all of the pipeline moves in this cycle, else it stands; acc signed; factor unsigned, at most
    17 bits; exponent, scale signed; y signed, narrower than the product; clipped bool, beside y: saturation changed the
    value. The shift is clipped to 0 .. 2**SHIFT_BITS - 1. y and clipped are no registers: rounding and clipping end in
    the register of whoever takes them.
    Latency LATENCY enabled cycles. Two 18 x 18 multipliers for acc of up to 34 bits, three beyond.

        acc, factor ─────> partial products ─> product ─> >> coarse ─> >> fine ─> round, clip ─> y, clipped
        exponent, scale ─> sum ──────────────> shift ────────┴────────────┘
    """
    W_BITS = len(factor) + 1
    ACC_BITS = len(acc)
    HIGH_LIM = 1 << (ACC_BITS - LOW_BITS - 1)
    LOW_LIM = 1 << LOW_BITS
    PRODUCT_BITS = ACC_BITS + W_BITS
    SUM_BITS = max(len(exponent), len(scale)) + 1
    SUM_LIM = 1 << (SUM_BITS - 1)
    UPPER_BITS = PRODUCT_BITS - LOW_BITS
    UPPER_LIM = 1 << (UPPER_BITS - 1)
    CARRY_LIM = 1 << (LOW_BITS + W_BITS)
    MAX_SHIFT = (1 << SHIFT_BITS) - 1
    COARSE = (1 << SHIFT_BITS) - (1 << FINE_BITS)
    SHIFTED_BITS = PRODUCT_BITS + 1  # one fraction bit more, for rounding
    SHIFTED_LIM = 1 << (SHIFTED_BITS - 1)
    Y_BITS = len(y)
    SIGN = Y_BITS - 1
    TOP = Y_BITS + 1  # what does not need this bit of `fine` fits y, but for the step that rounding may add
    WIDE = Y_BITS + 2
    UPPER_ONES = (1 << (SHIFTED_BITS - TOP)) - 1
    LOWER_ONES = (1 << SIGN) - 1
    if PRODUCT_BITS <= Y_BITS:
        raise ValueError(f"narrow: y must have fewer bits than the product, {PRODUCT_BITS}, has {Y_BITS}")

    weight = sint(W_BITS)
    high, low = sint(UPPER_BITS), sint(LOW_BITS + 1 + W_BITS)
    product = sint(PRODUCT_BITS)
    exponent_sum = sint(SUM_BITS)
    shift = uint(SHIFT_BITS)
    shift_fine = uint(FINE_BITS)
    coarse, fine = sint(SHIFTED_BITS), sint(SHIFTED_BITS)

    @always_comb
    def widen():
        weight.next = factor

    @always(clk.posedge)
    def multiply():
        upper = intbv(0, min=-HIGH_LIM, max=HIGH_LIM)
        lower = intbv(0, min=-LOW_LIM, max=LOW_LIM)
        upper[:] = acc[ACC_BITS:LOW_BITS].signed()
        lower[:] = acc[LOW_BITS:]  # unsigned, widened
        if enable:
            high.next = upper * weight
            low.next = lower * weight

    @always(clk.posedge)
    def add():
        upper = intbv(0, min=-UPPER_LIM, max=UPPER_LIM)
        carry = intbv(0, min=-CARRY_LIM, max=CARRY_LIM)
        bits = intbv(0)[PRODUCT_BITS:]
        carry[:] = low
        carry[:] = carry >> LOW_BITS
        upper[:] = high + carry
        bits[:] = concat(upper[UPPER_BITS:], low[LOW_BITS:])
        if enable:
            product.next = bits.signed()

    @always(clk.posedge)
    def amount():
        negated = intbv(0, min=-SUM_LIM, max=SUM_LIM + 1)
        negated[:] = -exponent_sum
        if enable:
            exponent_sum.next = exponent + scale
            if negated < 0:
                shift.next = 0
            elif negated > MAX_SHIFT:
                shift.next = MAX_SHIFT
            else:
                shift.next = negated[SHIFT_BITS:]

    @always(clk.posedge)
    def shift_right():
        wide = intbv(0, min=-SHIFTED_LIM, max=SHIFTED_LIM)
        by = intbv(0)[SHIFT_BITS:]
        wide[:] = product
        wide[:] = wide << 1
        by[:] = shift & COARSE
        if enable:
            coarse.next = wide >> by
            shift_fine.next = shift[FINE_BITS:]
            fine.next = coarse >> shift_fine

    # half up: one more in the fraction bit, which is then dropped
    @always_comb
    def round_and_clip():
        wide = modbv(0)[WIDE:]
        bits = intbv(0)[Y_BITS:]
        wide[:] = fine[WIDE:]
        wide[:] = wide + 1
        bits[:] = 0
        if (fine[SHIFTED_BITS:TOP] == 0 or fine[SHIFTED_BITS:TOP] == UPPER_ONES) and wide[TOP] == wide[Y_BITS]:
            bits[:] = wide[TOP:1]
            clipped.next = False
        else:
            if fine[SHIFTED_BITS - 1]:
                bits[SIGN] = True
            else:
                bits[:] = LOWER_ONES
            clipped.next = True
        y.next = bits.signed()

    return widen, multiply, add, amount, shift_right, round_and_clip


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports for a build: `narrow(**ports(cfg))`."""
    inputs = dict(acc=sint(cfg.acc_bits), factor=uint(FACTOR_BITS), exponent=sint(cfg.exp_bits), scale=sint(SCALE_BITS))
    return dict(clk=bit(), enable=bit(), **inputs, y=sint(cfg.f_bits), clipped=bit())
