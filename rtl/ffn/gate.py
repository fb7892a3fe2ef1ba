"""h1 * sigma(h1) * h3: the products of SwiGLU, time-shared over the two cycles that a pair takes."""
from myhdl import always, always_comb, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith import saturate as clip
from llama2_myhdl.rtl.arith.saturate import saturate
from llama2_myhdl.rtl.arith.split_product import LOW_BITS, split_product
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.formats import EXP2_FRAC, F_BITS, F_FRAC

LATENCY = 7 + clip.LATENCY  # cycles from `second` to z


@hblock
def gate(clk, h1, h3, sigma, second, z, clipped, F_FRAC):
    """z = round(h1 * sigma) * h3, as golden.fixed.swiglu.swiglu: silu rounded half up to F, the product saturated.

    Ports: clk; h1, h3, z signed F, F_FRAC fraction bits; sigma uint(EXP2_FRAC + 1), 0.16; clipped bool beside z.
    A pair is held for two cycles, `second` high in the second of them (and low without a pair).
    z comes LATENCY cycles after `second` and stays until the next one. Three multipliers.

        first:   h1 low half  * sigma         second:  h1 high half * sigma, + the first ─> silu     one multiplier
        then:    silu * h3 low half           then:    silu * h3 high half, + the first ─> z         two multipliers
    """
    if EXP2_FRAC != LOW_BITS:
        raise ValueError(f"gate: EXP2_FRAC must be the {LOW_BITS} bits of the low partial product, is {EXP2_FRAC}")
    F = len(h1)
    HALF_BITS = LOW_BITS + 1  # a half word as a signed number
    SIGMA_BITS = EXP2_FRAC + 2  # sigma as a signed number
    PRODUCT = HALF_BITS + SIGMA_BITS
    HIGH, LOW = F - LOW_BITS + HALF_BITS, LOW_BITS + 1 + HALF_BITS
    SUM = LOW + 2
    TOTAL = HIGH + LOW_BITS + 2
    DROP = F_FRAC - LOW_BITS
    SILU_HALF = 1 << (EXP2_FRAC - 1)
    Z_HALF = 1 << (DROP - 1)
    SUM_LIMIT, TOTAL_LIMIT, PRODUCT_LIMIT = 1 << (SUM - 1), 1 << (TOTAL - 1), 1 << (PRODUCT - 1)

    second0, second1, second2, second3, second4, second5 = [bit() for _ in range(6)]
    half, factor = sint(HALF_BITS), sint(HALF_BITS)
    sigma0 = sint(SIGMA_BITS)
    product, low_part = sint(PRODUCT), sint(PRODUCT - EXP2_FRAC)
    silu = sint(F)
    h3_0, h3_1, h3_2 = [sint(F) for _ in range(3)]
    high, top = sint(HIGH), sint(HIGH)
    low = sint(LOW)
    carry, middle = sint(SUM), sint(SUM)
    total = sint(TOTAL)
    wide_z = sint(TOTAL - DROP)

    split_product_ = split_product(clk, silu, factor, high, low)
    saturate_ = saturate(clk, wide_z, z, clipped)

    @always(clk.posedge)
    def multiply_sigma():
        second0.next = second
        second1.next = second0
        second2.next = second1
        second3.next = second2
        second4.next = second3
        second5.next = second4
        if second:
            half.next = h1[F:LOW_BITS].signed()
        else:
            half.next = h1[LOW_BITS:]
        sigma0.next = sigma
        product.next = half * sigma0

    @always(clk.posedge)
    def add_silu():
        rounded = intbv(0, min=-PRODUCT_LIMIT, max=PRODUCT_LIMIT)
        if second1:
            silu.next = low_part + product
        else:
            rounded[:] = product + SILU_HALF
            low_part.next = rounded >> EXP2_FRAC

    @always(clk.posedge)
    def choose_factor():
        h3_0.next = h3
        h3_1.next = h3_0
        h3_2.next = h3_1
        if second1:
            factor.next = h3_2[LOW_BITS:]
        else:
            factor.next = h3_2[F:LOW_BITS].signed()

    # partial products of h3's low half first: what they carry over into the high half's
    @always(clk.posedge)
    def add_z():
        part = intbv(0, min=-SUM_LIMIT, max=SUM_LIMIT)
        carried = intbv(0, min=-SUM_LIMIT, max=SUM_LIMIT)
        carried[:] = low >> LOW_BITS
        part[:] = carry + low
        if second3:
            carry.next = high + carried
        if second4:
            middle.next = part + Z_HALF
            top.next = high

    @always(clk.posedge)
    def combine():
        shifted = intbv(0, min=-TOTAL_LIMIT, max=TOTAL_LIMIT)
        shifted[:] = top
        shifted[:] = shifted << LOW_BITS
        if second5:
            total.next = shifted + middle

    @always_comb
    def shift():
        wide_z.next = total >> DROP

    return split_product_, saturate_, multiply_sigma, add_silu, choose_factor, add_z, combine, shift


def ports() -> dict:
    """Fresh ports and parameters."""
    inputs = dict(h1=sint(F_BITS), h3=sint(F_BITS), sigma=uint(EXP2_FRAC + 1), second=bit())
    return dict(clk=bit(), **inputs, z=sint(F_BITS), clipped=bit(), F_FRAC=F_FRAC)
