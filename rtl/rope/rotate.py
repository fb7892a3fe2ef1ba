"""Turning one pair by an angle: the arithmetic of RoPE."""
from myhdl import always, intbv

from rtl.arith import saturate as clip
from rtl.arith.saturate import saturate
from rtl.arith.split_product import LOW_BITS, split_product
from rtl.config import EXP2_FRAC
from rtl.hdl.hierarchy import hblock
from rtl.stream.stream import bit, sint

LATENCY = 4 + clip.LATENCY  # cycles from a, b, cos, sin, second to y


@hblock
def rotate(clk, a, b, cos, sin, second, y, clipped):
    """y = a*cos - b*sin, or a*sin + b*cos when `second`: both products exact, one rounding, saturated. One y a cycle.

    Ports: clk; a, b, y signed F; cos, sin signed 1.16 (18 bits); second bool; clipped bool beside y: y was saturated.
    Latency LATENCY cycles; four 18x18 multipliers, so that a pair takes two cycles.

        a ─> x cos|sin ─┐
                        ├─> -|+ of the upper and of the lower partial products ─> combine, round ─> saturate ─> y
        b ─> x sin|cos ─┘
    """
    if EXP2_FRAC != LOW_BITS:
        raise ValueError(f"rotate: EXP2_FRAC must be the {LOW_BITS} bits of the low partial product, is {EXP2_FRAC}")
    F, W = len(a), len(cos)
    HIGH, LOW = F - LOW_BITS + W, LOW_BITS + 1 + W
    HALF = 1 << (EXP2_FRAC - 1)
    SUM_LIMIT = 1 << (LOW + 1)

    a0, b0 = sint(F), sint(F)
    a_factor, b_factor = sint(W), sint(W)
    a_high, b_high = sint(HIGH), sint(HIGH)
    a_low, b_low = sint(LOW), sint(LOW)
    high = sint(HIGH + 1)
    low = sint(LOW + 2)
    total = sint(HIGH + 2)
    second0, second1 = bit(), bit()

    a_product = split_product(clk, a0, a_factor, a_high, a_low)
    b_product = split_product(clk, b0, b_factor, b_high, b_low)
    result = saturate(clk, total, y, clipped)

    @always(clk.posedge)
    def choose():
        a0.next = a
        b0.next = b
        if second:
            a_factor.next = sin
            b_factor.next = cos
        else:
            a_factor.next = cos
            b_factor.next = sin
        second0.next = second
        second1.next = second0

    @always(clk.posedge)
    def add():
        lower = intbv(0, min=-SUM_LIMIT, max=SUM_LIMIT)
        if second1:
            high.next = a_high + b_high
            lower[:] = a_low + b_low
        else:
            high.next = a_high - b_high
            lower[:] = a_low - b_low
        lower[:] = lower + HALF
        low.next = lower

    @always(clk.posedge)
    def combine():
        carry = intbv(0, min=-SUM_LIMIT, max=SUM_LIMIT)
        carry[:] = low >> LOW_BITS
        total.next = high + carry

    return a_product, b_product, result, choose, add, combine
