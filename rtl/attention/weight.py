"""Softmax weight of one timestep against a running integer maximum."""
from myhdl import always, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.attention.lazy import CLEAR, SCALE_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint, uint

LATENCY = 4  # cycles from level to p
SCALED = 3  # cycles from level to scale and step
AMOUNT = 2  # cycles from level to the shift amount
SHIFT_BITS = 5  # shifts are clipped to 31
FINE_BITS = 3  # of a shift amount, done in the second of two stages


@hblock
def weight(clk, valid, first, level, mantissa, reference, p, scale, step, counts, BEHIND):
    """p = mantissa >> (reference - level), rounded half up; reference = max of the levels since `first`.

    Ports: clk; valid; first: starts a head; level signed; mantissa unsigned, BEHIND cycles after level; reference
    signed, one cycle after level; p unsigned as wide as mantissa, LATENCY cycles after level; scale, step: what the
    growth of the reference does to the accumulator (lazy.py), counts: `valid` beside them, SCALED cycles after level.
    A pure pipeline, up to one timestep a cycle.

        level ─> max ─> reference
          └────> level - reference so far ─┬─> how far below, clipped ─> amount ─┐
                                           └─> how far above, clipped ─> + scale ─> scale, step
        mantissa ────────────────> delay ─────────────────────────> >> ─> >>, rounded ─> p
    """
    N_MAX = (1 << SHIFT_BITS) - 1
    COARSE = (1 << SHIFT_BITS) - (1 << FINE_BITS)
    WIDE = len(mantissa) + 1
    CARRY = SCALE_BITS + 2  # scale + growth
    DISTANCE = len(level) + 1
    NEAR = (1 << (DISTANCE - SHIFT_BITS)) - 1  # sign and high bits of -1 .. -2**SHIFT_BITS

    distance = sint(DISTANCE)
    first0, first1, valid0, valid1 = [bit() for _ in range(4)]
    amount, amount1, rise = uint(SHIFT_BITS), uint(SHIFT_BITS), uint(SHIFT_BITS)
    waited = uint(len(mantissa))
    coarse = uint(WIDE)

    @always(clk.posedge)
    def maximum():
        if valid:
            if first or level > reference:
                reference.next = level
        distance.next = level - reference
        first0.next = first
        valid0.next = valid

    @always(clk.posedge)
    def clip():
        low = intbv(0)[SHIFT_BITS:]
        below = intbv(0)[SHIFT_BITS + 1:]
        low[:] = distance[SHIFT_BITS:]
        below[:] = N_MAX + 1 - low
        amount.next = 0
        rise.next = 0
        if distance[DISTANCE - 1] and not first0:
            if distance[DISTANCE:SHIFT_BITS] == NEAR and low != 0:
                amount.next = below[SHIFT_BITS:]
            else:
                amount.next = N_MAX
        elif distance[DISTANCE:SHIFT_BITS] == 0:
            rise.next = low  # of no use in the first timestep
        else:
            rise.next = N_MAX
        first1.next = first0
        valid1.next = valid0

    @always(clk.posedge)
    def lazy():
        carry = intbv(0)[CARRY:]
        carry[:] = scale + rise
        counts.next = valid1
        if valid1 and first1:
            scale.next = 0
            step.next = CLEAR
        elif valid1:
            scale.next = carry[SCALE_BITS:]
            step.next = carry[CARRY:SCALE_BITS]

    @always(clk.posedge)
    def shift():
        wide = intbv(0)[WIDE:]
        n = intbv(0)[SHIFT_BITS:]
        wide[:] = concat(waited, False)  # one fraction bit, for rounding
        n[:] = amount & COARSE
        coarse.next = wide >> n
        amount1.next = amount

    @always(clk.posedge)
    def half_up():
        t = intbv(0)[WIDE + 1:]
        t[:] = coarse >> amount1[FINE_BITS:]
        t[:] = t + 1
        p.next = t[WIDE:1]

    delay_ = delay(clk, mantissa, waited, CYCLES=AMOUNT - BEHIND)
    return maximum, clip, lazy, shift, half_up, delay_
