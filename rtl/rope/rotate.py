"""Turning one pair by an angle: the arithmetic of RoPE."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith import saturate as clip
from llama2_myhdl.rtl.arith.saturate import saturate
from llama2_myhdl.rtl.arith.split_product import LOW_BITS, split_product
from llama2_myhdl.rtl.rope.sincos import VALUE_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint
from llama2_myhdl.spec.formats import EXP2_FRAC, F_BITS

LATENCY = 3 + clip.LATENCY  # cycles from a, b, their factors and second to y


@hblock
def rotate(clk, a, b, a_factor, b_factor, second, y, clipped):
    """y = a*a_factor - b*b_factor, or their sum when `second`: both products exact, one rounding, saturated.

    With (cos, sin) as factors, then (sin, cos) and `second`, a pair (a, b) is turned in two cycles. One y a cycle.
    Ports: clk; a, b, y signed F; a_factor, b_factor signed 1.16 (18 bits); second bool; clipped bool beside y: y was
    saturated. Latency LATENCY cycles; four 18x18 multipliers.

        a ─> x a_factor ─┐
                         ├─> -|+ of the upper and of the lower partial products ─> combine, round ─> saturate ─> y
        b ─> x b_factor ─┘
    """
    if EXP2_FRAC != LOW_BITS:
        raise ValueError(f"rotate: EXP2_FRAC must be the {LOW_BITS} bits of the low partial product, is {EXP2_FRAC}")
    F, W = len(a), len(a_factor)
    HIGH, LOW = F - LOW_BITS + W, LOW_BITS + 1 + W
    SUM_LIMIT = 1 << (LOW + 1)

    a_high, b_high = sint(HIGH), sint(HIGH)
    a_low, b_low = sint(LOW), sint(LOW)
    high = sint(HIGH + 1)
    low = sint(LOW + 2)
    total = sint(HIGH + 2)
    adding = bit()

    a_split_product = split_product(clk, a, a_factor, a_high, a_low)
    b_split_product = split_product(clk, b, b_factor, b_high, b_low)
    saturate_ = saturate(clk, total, y, clipped)

    @always(clk.posedge)
    def add():
        adding.next = second
        if adding:
            high.next = a_high + b_high
            low.next = a_low + b_low
        else:
            high.next = a_high - b_high
            low.next = a_low - b_low

    @always(clk.posedge)
    def combine():
        carry = intbv(0, min=-SUM_LIMIT, max=SUM_LIMIT)
        half = intbv(0, min=-2, max=2)  # signed as the others, or Verilog takes them all as unsigned
        carry[:] = low >> LOW_BITS
        half[:] = low[LOW_BITS - 1]
        total.next = high + carry + half

    return a_split_product, b_split_product, saturate_, add, combine


def ports() -> dict:
    """Fresh ports."""
    inputs = dict(a=sint(F_BITS), b=sint(F_BITS), a_factor=sint(VALUE_BITS), b_factor=sint(VALUE_BITS), second=bit())
    return dict(clk=bit(), **inputs, y=sint(F_BITS), clipped=bit())
