"""Attention output of a head: numerator / denominator * 2**gap in F, element by element."""
from myhdl import always, always_comb, concat, intbv

from rtl.arith import reciprocal as newton
from rtl.arith import round_shift as narrowing
from rtl.arith import split_product as partial
from rtl.arith.delay import delay
from rtl.arith.reciprocal import reciprocal
from rtl.arith.round_shift import round_shift
from rtl.arith.split_product import split_product
from rtl.attention import normalise as leading_one
from rtl.attention import serialise as giving
from rtl.attention.normalise import normalise
from rtl.attention.serialise import serialise
from rtl.attention.weighted_sum import num_bits
from rtl.config import EXP2_FRAC, clog2
from rtl.hdl.hierarchy import hblock
from rtl.stream.stream import bit, sint, uint

_Y = leading_one.LATENCY + newton.LATENCY  # cycles from the sums to their reciprocal
_PRODUCT = partial.LATENCY + 1  # cycles from an element to its product
INTERVAL = _Y + 1 - giving.LATENCY  # least cycles between two heads, if head_dim is not more
LATENCY = _Y + 1 + _PRODUCT + narrowing.LATENCY  # cycles from `load` to the head's first element

SHIFT_BITS = 6


@hblock
def divide(clk, rst, load, num, scale_num, den, scale_den, gap, head_dim, valid, data, last, clipped, CFG):
    """data[i] = num[i] / den * 2**gap, bit for bit golden.fixed.attention.divide; i = 0 .. head_dim - 1.

    Ports: clk, rst; load: the sums are final, one cycle; num, scale_num, den, scale_den: from `weighted_sum`; gap
    uint(5); head_dim; valid, data sint(CFG.f_bits), last, clipped: the elements, one a cycle without gaps.
    Two `load`s are INTERVAL and head_dim cycles apart at least. Latency LATENCY cycles. Four multipliers (18x18).

        den ─> normalise ─> reciprocal ──────┐
                     └─> shift amount ───────│─────────┐
        num ─> hold ─────> serialise ─> * (2 halves) ─> >> ─> data
    """
    TOP_BITS = clog2(len(den))
    LIM = 1 << max(TOP_BITS, SHIFT_BITS) + 1
    N_MAX = (1 << SHIFT_BITS) - 1
    READY = _Y - 1
    STARTS = INTERVAL - 1
    FLIGHT = _PRODUCT + narrowing.LATENCY

    d, y = uint(EXP2_FRAC + 1), uint(EXP2_FRAC + 1)
    top, gap_late = uint(TOP_BITS), uint(len(gap))
    amount, amount_y, amount0, amount1, amount2 = [uint(SHIFT_BITS) for _ in range(5)]
    loads = uint(_Y)  # bit k: load, k + 1 cycles ago
    start, ready = bit(), bit()
    factor = sint(EXP2_FRAC + 2)
    element = sint(num_bits(CFG))
    element_valid, element_last = bit(), bit()
    high = sint(len(element) - partial.LOW_BITS + len(factor))
    low = sint(partial.LOW_BITS + 1 + len(factor))
    product = sint(len(element) + len(factor))
    P_LIM = product.max
    flight, lasts = uint(FLIGHT), uint(FLIGHT)

    leading = normalise(clk, den, scale_den, d, top, P_FRAC=CFG.p_frac)
    inverse = reciprocal(clk, d, y)
    gap_waits = delay(clk, gap, gap_late, CYCLES=leading_one.LATENCY)

    @always(clk.posedge)
    def shift_amount():
        n = intbv(0, min=-LIM, max=LIM)
        g = intbv(0, min=-LIM, max=LIM)
        n[:] = top
        n[:] = n + EXP2_FRAC
        g[:] = gap_late
        n[:] = n - g
        if n < 0:
            amount.next = 0
        elif n > N_MAX:
            amount.next = N_MAX
        else:
            amount.next = n[SHIFT_BITS:]

    amount_waits = delay(clk, amount, amount_y, CYCLES=newton.LATENCY - 1)

    @always(clk.posedge)
    def follow():
        if rst:
            loads.next = 0
        else:
            loads.next = concat(loads[READY:], load)

    @always_comb
    def strobes():
        start.next = loads[STARTS]
        ready.next = loads[READY]

    elements = serialise(clk, rst, load, start, num, scale_num, head_dim, element, element_valid, element_last,
                         LANES=CFG.max_head_dim)

    @always(clk.posedge)
    def hold():
        w = intbv(0, min=factor.min, max=factor.max)
        if ready:
            w[:] = y
            factor.next = w
            amount0.next = amount_y
        amount1.next = amount0
        amount2.next = amount1

    halves = split_product(clk, element, factor, high, low)

    @always(clk.posedge)
    def recombine():
        t = intbv(0, min=-P_LIM, max=P_LIM)
        t[:] = high
        t[:] = t << partial.LOW_BITS
        product.next = t + low

    narrow = round_shift(clk, product, amount2, data, clipped)

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

    return (leading, inverse, gap_waits, shift_amount, amount_waits, follow, strobes, elements, hold, halves, recombine,
            narrow, travel, out)
