"""Softmax weight of one timestep against a running integer maximum."""
from myhdl import always, concat, intbv

from rtl.arith.delay import delay
from rtl.attention.lazy import CLEAR, SCALE_BITS, STEP_BITS
from rtl.hdl.hierarchy import hblock
from rtl.hdl.lanes import pack, unpack
from rtl.stream.stream import bit, sint, uint

LATENCY = 6  # cycles from level to p, scale and step
AMOUNT = 3  # cycles from level to the shift amount
SHIFT_BITS = 5  # shifts are clipped to 31
FINE_BITS = 3  # of a shift amount, done in the second of two stages


@hblock
def weight(clk, valid, first, level, mantissa, reference, p, scale, step, counts, BEHIND):
    """p = mantissa >> (reference - level), rounded half up; reference = max of the levels since `first`.

    Ports: clk; valid; first: starts a head; level signed; mantissa unsigned, BEHIND cycles after level; reference
    signed, one cycle after level; p unsigned as wide as mantissa; scale, step: what the growth of the reference does to
    the accumulator (lazy.py); counts: `valid` beside them. A pure pipeline, up to one timestep a cycle. Latency LATENCY
    cycles.

        level ─> max ─> reference - level ─> clip ─> amount ───────────────────┐
                  └───> reference - previous ─> clip ─> + scale ─> scale, step │
        mantissa ───────────────────────> delay ─────────────────────> >> ─> >> ─> round ─> p
    """
    N_MAX = (1 << SHIFT_BITS) - 1
    COARSE = (1 << SHIFT_BITS) - (1 << FINE_BITS)
    WIDE = len(mantissa) + 1
    CARRY = SCALE_BITS + 2  # scale + growth

    level0, previous = sint(len(level)), sint(len(level))
    first0, first1, first2, valid0, valid1, valid2 = [bit() for _ in range(6)]
    # of no use without `valid`, and growth in the first timestep neither
    distance, growth = sint(len(level) + 1), sint(len(level) + 1)
    amount, amount1, rise = uint(SHIFT_BITS), uint(SHIFT_BITS), uint(SHIFT_BITS)
    waited = uint(len(mantissa))
    coarse, fine = uint(WIDE), uint(WIDE)
    held = uint(SCALE_BITS)
    stepped = uint(STEP_BITS)
    valid3 = bit()
    both, both_late = uint(SCALE_BITS + STEP_BITS + 1), uint(SCALE_BITS + STEP_BITS + 1)

    @always(clk.posedge)
    def maximum():
        if valid:
            previous.next = reference
            if first or level > reference:
                reference.next = level
        level0.next = level
        first0.next = first
        valid0.next = valid

    @always(clk.posedge)
    def differences():
        distance.next = reference - level0
        growth.next = reference - previous
        first1.next = first0
        valid1.next = valid0

    @always(clk.posedge)
    def clip():
        if distance > N_MAX:
            amount.next = N_MAX
        else:
            amount.next = distance[SHIFT_BITS:]
        if growth > N_MAX:
            rise.next = N_MAX
        else:
            rise.next = growth[SHIFT_BITS:]
        first2.next = first1
        valid2.next = valid1

    @always(clk.posedge)
    def lazy():
        carry = intbv(0)[CARRY:]
        carry[:] = held + rise
        valid3.next = valid2
        if valid2 and first2:
            held.next = 0
            stepped.next = CLEAR
        elif valid2:
            held.next = carry[SCALE_BITS:]
            stepped.next = carry[CARRY:SCALE_BITS]

    @always(clk.posedge)
    def shift():
        wide = intbv(0)[WIDE:]
        n = intbv(0)[SHIFT_BITS:]
        wide[:] = concat(waited, False)  # one fraction bit, for rounding
        n[:] = amount & COARSE
        coarse.next = wide >> n
        amount1.next = amount
        fine.next = coarse >> amount1[FINE_BITS:]

    @always(clk.posedge)
    def half_up():
        t = intbv(0)[WIDE + 1:]
        t[:] = fine + 1
        p.next = t[WIDE:1]

    table = delay(clk, mantissa, waited, CYCLES=AMOUNT - BEHIND)
    packing = pack([held, stepped, valid3], both)
    beside = delay(clk, both, both_late, CYCLES=LATENCY - 4)
    unpacking = unpack(both_late, [scale, step, counts])
    return maximum, differences, clip, lazy, shift, half_up, table, packing, beside, unpacking
