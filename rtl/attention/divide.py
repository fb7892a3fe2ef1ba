"""Attention output of a head: numerator / denominator * 2**gap in F, two elements a cycle."""
from myhdl import Signal, always, always_comb, concat, intbv, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith import round_shift as narrowing
from llama2_myhdl.rtl.arith import split_product as partial
from llama2_myhdl.rtl.arith.round_shift import round_shift
from llama2_myhdl.rtl.arith.split_product import split_product
from llama2_myhdl.rtl.attention import denominator as inverting
from llama2_myhdl.rtl.attention import serialise as giving
from llama2_myhdl.rtl.attention.denominator import denominator
from llama2_myhdl.rtl.attention.lazy import SCALE_BITS, STEP
from llama2_myhdl.rtl.attention.serialise import serialise
from llama2_myhdl.rtl.attention.weighted_sum import den_bits, num_bits
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.quant.exponent import EXPONENT_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.formats import EXP2_FRAC

_PRODUCT = partial.LATENCY + 1  # cycles from an element to its product
LATENCY = giving.LATENCY + _PRODUCT + narrowing.LATENCY  # cycles from `num_load` to the head's first pair
EARLY = inverting.LATENCY + 1 - giving.LATENCY  # least cycles from a head's `den_load` to its `num_load`
INTERVAL = 1  # least cycles between two `num_load`s, if head_dim / 2 is not more; `den_load`s may come every cycle

SHIFT_BITS = 6


@hblock
def divide(clk, rst, den_load, den, scale_den, num_load, num, scale_num, gap, head_dim, valid, data, second, last,
           clipped0, clipped1, CFG):
    """data, second = num[2 * i], num[2 * i + 1] / den * 2**gap, bit for bit golden.fixed.attention.divide.

    Ports: clk, rst; den_load: den, scale_den are a head's final ones, from `weighted_sum`; num_load: so are num (lane
    0; the others follow, see lanes_a_group), scale_num and gap uint(5); head_dim: even; valid, data and second
    sint(CFG.f_bits), last: the pairs, one a cycle without gaps, i = 0 .. head_dim / 2 - 1; clipped0, clipped1: beside
    them, that element was clipped.
    A head's first pair comes LATENCY cycles after its num_load, which comes EARLY cycles after its den_load or later.
    Two num_loads are head_dim / 2 cycles apart at least; CFG.max_heads reciprocals may wait for their num_load.
    Six multipliers (18x18).

        den ─> leading_one ─> reciprocal ─> queue ─┬─> shift amount ────┐
                                                   └────────┐           │
        num ─> slots (serialise) ─> two elements ─> * (2 halves each) ─> >> ─> data, second
    """
    TOP_BITS = clog2(len(den))
    FLIGHT = _PRODUCT + narrowing.LATENCY

    take = bit()
    factor = uint(EXP2_FRAC + 1)
    top = uint(TOP_BITS)
    gap0, gap1 = uint(len(gap)), uint(len(gap))
    # of a head from 0 (its sum is 0.5 or more, so top >= p_frac - 1) to EXP2_FRAC + len(den): wraps between heads only
    difference = Signal(modbv(0)[SHIFT_BITS:])
    amount = uint(SHIFT_BITS)
    element0, element1 = sint(num_bits(CFG)), sint(num_bits(CFG))
    element_valid, element_last = bit(), bit()
    flight, lasts = uint(FLIGHT), uint(FLIGHT)

    denominator_ = denominator(clk=clk, rst=rst, load=den_load, den=den, scale=scale_den, take=take, factor=factor,
                               top=top, P_FRAC=CFG.p_frac, HEADS=max(2, CFG.max_heads))
    serialise_ = serialise(clk=clk, rst=rst, load=num_load, num=num, scale=scale_num, head_dim=head_dim,
                           element0=element0, element1=element1, valid=element_valid, last=element_last,
                           LANES=CFG.max_head_dim)

    @always(clk.posedge)
    def follow():
        if rst:
            take.next = False
        else:
            take.next = num_load

    # the amount is there with the product: serialise's two cycles and those to the product, one each
    @always(clk.posedge)
    def shift_amount():
        if num_load:
            gap0.next = gap
        gap1.next = gap0
        difference.next = top + EXP2_FRAC - gap1
        amount.next = difference

    first_scaled = scaled(clk, element0, factor, amount, data, clipped0)
    second_scaled = scaled(clk, element1, factor, amount, second, clipped1)

    @always(clk.posedge)
    def travel():
        if rst:
            flight.next = 0
        else:
            flight.next = concat(flight[FLIGHT - 1:], element_valid)
        lasts.next = concat(lasts[FLIGHT - 1:], element_last)

    @always_comb
    def out():
        valid.next = flight[FLIGHT - 1]
        last.next = lasts[FLIGHT - 1]

    return denominator_, serialise_, follow, shift_amount, first_scaled, second_scaled, travel, out


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `divide(**ports(cfg))`."""
    return dict(
        clk=bit(),
        rst=bit(),
        den_load=bit(),
        den=uint(den_bits(cfg) + STEP - 1),
        scale_den=uint(SCALE_BITS),
        num_load=bit(),
        num=uint(cfg.max_head_dim * (num_bits(cfg) + STEP - 1)),
        scale_num=uint(SCALE_BITS),
        gap=uint(EXPONENT_BITS),
        head_dim=ShapeRegisters(cfg).head_dim,
        valid=bit(),
        data=sint(cfg.f_bits),
        second=sint(cfg.f_bits),
        last=bit(),
        clipped0=bit(),
        clipped1=bit(),
        CFG=cfg,
    )


@hblock
def scaled(clk, element, factor, amount, y, clipped):
    """y = element * factor >> amount, rounded half up and clipped; amount comes _PRODUCT cycles after the others.

    Ports: clk; element signed; factor, amount unsigned; y signed; clipped: beside y. A pure pipeline of
    _PRODUCT + round_shift's latency. Two multipliers (18x18).
    """
    w = sint(len(factor) + 1)
    high = sint(len(element) - partial.LOW_BITS + len(w))
    low = sint(partial.LOW_BITS + 1 + len(w))
    product = sint(len(element) + len(w))
    P_LIM = product.max

    @always_comb
    def widen():
        w.next = factor

    split_product_ = split_product(clk, element, w, high, low)

    @always(clk.posedge)
    def recombine():
        t = intbv(0, min=-P_LIM, max=P_LIM)
        t[:] = high
        t[:] = t << partial.LOW_BITS
        product.next = t + low

    round_shift_ = round_shift(clk, product, amount, y, clipped)
    return widen, split_product_, recombine, round_shift_
