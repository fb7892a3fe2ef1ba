"""The denominator of a head's softmax: a sum of exponentials; and what the numerator needs of each of them."""
from myhdl import always, intbv

from rtl.arith.delay import delay
from rtl.attention import weight as one_weight
from rtl.attention.lazy import CLEAR, SCALE_BITS, STEP, STEP_BITS
from rtl.attention.weight import weight
from rtl.config import SCORE_FRAC
from rtl.hdl.hierarchy import hblock
from rtl.stream.stream import bit, sint, uint
from rtl.tables import exp2_table

SPLIT = 2  # cycles from a score to c, mantissa and m
_SUM = 2
LATENCY = 1 + one_weight.LATENCY + _SUM  # cycles from a score to the denominator that holds it


def ceiling_bits(CFG):
    """Width of c, signed: the ceiling of the largest score needs one bit more."""
    return CFG.score_bits - SCORE_FRAC + 1


@hblock
def exp_sum(clk, valid, first, s, c, mantissa, m, den, scale, CFG):
    """c = ceil(s), mantissa = 2**(s - c), m = max(c), den = sum of 2**(s - m): see golden.fixed.attention.

    Ports: clk; valid; first: t = 0 of a head; s sint(CFG.score_bits), 12.8; c, m sint(ceiling_bits(CFG)), mantissa
    uint(CFG.p_frac + 1): SPLIT cycles later; den uint(den_bits(CFG) + STEP - 1), `scale` bits up (lazy.py): LATENCY
    cycles later. A pure pipeline, up to one timestep a cycle; no multiplier.

        s ─> c, f ─┬─> c ─────────────> weight ─> << scale ─> + ─> den
                   └─> table of 2**-f ─┘           (den >> 0, 16, 32) ┘
    """
    TABLE = exp2_table(CFG.p_frac)
    FRACTION = (1 << SCORE_FRAC) - 1
    LIM = 1 << CFG.score_bits
    TERM, DEN = CFG.p_frac + STEP, len(den)

    ceiling = sint(len(c))
    f = uint(SCORE_FRAC)
    valid0, first0, counts, adds = bit(), bit(), bit(), bit()
    p, term = uint(CFG.p_frac + 1), uint(TERM)
    scale0 = uint(SCALE_BITS)
    step, step0 = uint(STEP_BITS), uint(STEP_BITS)

    @always(clk.posedge)
    def split():
        up = intbv(0, min=-LIM, max=LIM)
        negative = intbv(0, min=-LIM, max=LIM)
        up[:] = s + FRACTION
        ceiling.next = up >> SCORE_FRAC
        negative[:] = -s
        f.next = negative[SCORE_FRAC:]
        valid0.next = valid
        first0.next = first

    @always(clk.posedge)
    def look_up():
        mantissa.next = TABLE[f]
        c.next = ceiling

    weights = weight(clk, valid0, first0, ceiling, mantissa, m, p, scale0, step, counts, BEHIND=1)
    scale_waits = delay(clk, scale0, scale, CYCLES=_SUM)

    @always(clk.posedge)
    def scale_weight():
        t = intbv(0)[TERM:]
        t[:] = p
        term.next = t << scale0
        step0.next = step
        adds.next = counts

    @always(clk.posedge)
    def accumulate():
        kept = intbv(0)[DEN:]
        if adds:
            if step0 == CLEAR:
                kept[:] = 0
            elif step0 == 2:
                kept[:] = den >> (2 * STEP)
            elif step0 == 1:
                kept[:] = den >> STEP
            else:
                kept[:] = den
            den.next = kept + term

    return split, look_up, weights, scale_waits, scale_weight, accumulate
