"""Weights of costs, and what they add up to: a softmax's denominator by shifts alone, with a running reference."""
from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.sampling import exp2_fraction as fraction
from llama2_myhdl.rtl.sampling.exp2_fraction import exp2_fraction
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.formats import EXP2_FRAC
from llama2_myhdl.spec.sampling import BLOCK_BITS, COST_BITS, COST_FRAC, P_BITS, SUM_BITS, WEIGHT_FRAC

LATENCY = fraction.LATENCY + 2  # cycles from u to the total that holds its weight
SHARE_LATENCY = LATENCY + 1  # to the share that does
REFERENCE_BITS = COST_BITS - COST_FRAC - BLOCK_BITS  # of the reference, signed
DISTANCE_BITS = 6  # of a weight's shift: none is larger than its mantissa and its place take
GROWTH_BITS = 3  # steps by which a total shifts
CLEAR = 1 << (GROWTH_BITS - 1)  # that many or more: nothing is left of it


@hblock
def mass(clk, rst, valid, first, fixed, u, p, mantissa, distance, counts, total, share, origin):
    """Running sums of 2**-u and of p * 2**-u, as golden.fixed.sampler has them. A cost a cycle.

    Ports: clk, rst; valid; first: starts the sums; fixed: the reference stays, else it is the smallest block (of
    2**BLOCK_BITS powers of two) since `first`; u sint(COST_BITS); p uint(P_BITS), 1.16, stands still; origin
    sint(REFERENCE_BITS): the reference. LATENCY cycles after u: counts, its `valid`; total uint(SUM_BITS), WEIGHT_FRAC
    fraction bits below the reference; mantissa uint(EXP2_FRAC + 1) and distance uint(DISTANCE_BITS), its shift to the
    right, of the last weight in it. SHARE_LATENCY cycles after u: share, like total. One multiplier (18x18).

        u ─┬─> block ─> smallest so far ─> distance, growth
           └─> 2**-fraction ─┬─────────> >> distance ─> + ─> total     (total >> 0, 16, 32, 48)
                             └─> * p ──> >> distance ─> + ─> share
    """
    LEVEL_BITS = COST_BITS - COST_FRAC
    STEP = 1 << BLOCK_BITS
    FAR = (1 << DISTANCE_BITS) - 1
    UP = WEIGHT_FRAC - EXP2_FRAC
    UP_SHARE = UP - (P_BITS - 1)
    WEIGHT_BITS = WEIGHT_FRAC + 1
    LIM = 1 << LEVEL_BITS
    LAST = LATENCY - 2

    level = sint(LEVEL_BITS)
    fall = sint(REFERENCE_BITS + 1)  # by which a block undercuts the reference
    low = uint(COST_FRAC)
    valids = uint(LATENCY - 1)  # bit k: valid, k + 1 cycles ago
    first1 = bit()
    growth, growth3, growth4, growth5 = [uint(GROWTH_BITS) for _ in range(4)]
    far, near, near4 = uint(LEVEL_BITS + 1), uint(DISTANCE_BITS), uint(DISTANCE_BITS)
    power, power4 = uint(EXP2_FRAC + 1), uint(EXP2_FRAC + 1)
    weight, part = uint(WEIGHT_BITS), uint(WEIGHT_BITS)
    product = uint(EXP2_FRAC + 1 + P_BITS)

    exp2_fraction_ = exp2_fraction(clk, low, power)

    @always_comb
    def split():
        low.next = u[COST_FRAC:]

    @always(clk.posedge)
    def refer():
        place = intbv(0, min=-(1 << REFERENCE_BITS), max=1 << REFERENCE_BITS)
        place[:] = u[COST_BITS:COST_FRAC + BLOCK_BITS].signed()
        level.next = u[COST_BITS:COST_FRAC].signed()
        fall.next = origin - place
        if valid and not fixed and (first or place < origin):
            origin.next = place[REFERENCE_BITS:].signed()

    # a first cost, or one far below the reference, leaves nothing of the sums; a reference that stays never falls
    @always(clk.posedge)
    def measure():
        distance_ = intbv(0, min=-LIM, max=LIM)
        distance_[:] = origin
        distance_[:] = level - (distance_ << BLOCK_BITS)
        far.next = distance_[LEVEL_BITS + 1:]
        if first1 or fall >= CLEAR:
            growth.next = CLEAR
        elif fall > 0:
            growth.next = fall[GROWTH_BITS:]
        else:
            growth.next = 0

    @always(clk.posedge)
    def clip():
        if far > FAR:
            near.next = FAR
        else:
            near.next = far[DISTANCE_BITS:]
        growth3.next = growth

    @always(clk.posedge)
    def weigh():
        wide = intbv(0)[WEIGHT_BITS:]
        wide[:] = power
        wide[:] = wide << UP
        weight.next = wide >> near
        product.next = power * p
        power4.next = power
        near4.next = near
        growth4.next = growth3

    @always(clk.posedge)
    def add():
        kept = intbv(0)[SUM_BITS:]
        sum_ = intbv(0)[SUM_BITS + 1:]
        kept[:] = 0
        if growth4 == 0:
            kept[:] = total
        elif growth4 == 1:
            kept[:] = total >> STEP
        elif growth4 == 2:
            kept[:] = total >> (2 * STEP)
        elif growth4 == 3:
            kept[:] = total >> (3 * STEP)
        sum_[:] = kept + weight
        if valids[LAST]:
            total.next = sum_[SUM_BITS:]

    @always(clk.posedge)
    def place_share():
        wide = intbv(0)[WEIGHT_BITS:]
        wide[:] = product
        wide[:] = wide << UP_SHARE
        part.next = wide >> near4
        mantissa.next = power4
        distance.next = near4
        growth5.next = growth4

    @always(clk.posedge)
    def add_share():
        kept = intbv(0)[SUM_BITS:]
        sum_ = intbv(0)[SUM_BITS + 1:]
        kept[:] = 0
        if growth5 == 0:
            kept[:] = share
        elif growth5 == 1:
            kept[:] = share >> STEP
        elif growth5 == 2:
            kept[:] = share >> (2 * STEP)
        elif growth5 == 3:
            kept[:] = share >> (3 * STEP)
        sum_[:] = kept + part
        if counts:
            share.next = sum_[SUM_BITS:]

    @always(clk.posedge)
    def travel():
        first1.next = first
        if rst:
            valids.next = 0
            counts.next = False
        else:
            valids.next = concat(valids[LAST:], valid)
            counts.next = valids[LAST]

    return exp2_fraction_, split, refer, measure, clip, weigh, add, place_share, add_share, travel


def ports() -> dict:
    """Fresh ports."""
    control = {name: bit() for name in ("clk", "rst", "valid", "first", "fixed", "counts")}
    weight = dict(mantissa=uint(EXP2_FRAC + 1), distance=uint(DISTANCE_BITS))
    sums = dict(total=uint(SUM_BITS), share=uint(SUM_BITS), origin=sint(REFERENCE_BITS))
    return dict(**control, u=sint(COST_BITS), p=uint(P_BITS), **weight, **sums)
