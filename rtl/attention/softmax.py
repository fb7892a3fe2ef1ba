"""Softmax by shifts: weights of numerator and denominator against two running integer maxima."""
from myhdl import always, intbv

from rtl.arith.delay import delay
from rtl.attention import weight as one_weight
from rtl.attention.weight import weight
from rtl.config import SCORE_FRAC
from rtl.hdl.hierarchy import hblock
from rtl.stream.stream import bit, sint, uint
from rtl.tables import exp2_table

LEVEL_LATENCY = 2  # cycles from the score to the levels
LATENCY = LEVEL_LATENCY + one_weight.LATENCY  # cycles from the score to all outputs


@hblock
def softmax(clk, valid, first, s, ve, p_num, scale_num, step_num, p_den, scale_den, step_den, gap, CFG):
    """Weights 2**(s - M) of the denominator and 2**(s + ve - R) of the numerator, as golden.fixed.attention has them.

    Ports: clk; valid; first: t = 0 of a head; s sint(CFG.score_bits), 12.8; ve uint(5): exponent of the value row;
    p_num, p_den uint(CFG.p_frac + 1); scale_*, step_*: see lazy.py; gap uint(5) = R - M.
    c = ceil(s), M = max(c), R = max(c + ve). A pure pipeline, one timestep a cycle; no multiplier.
    Latency LATENCY cycles.

        s ─> c, f ─┬─> c ──────> weight ─> p_den, scale_den, step_den
                   ├─> c + ve ─> weight ─> p_num, scale_num, step_num
                   └─> table of 2**-f ─┘
    """
    TABLE = exp2_table(CFG.p_frac)
    FRACTION = (1 << SCORE_FRAC) - 1
    C_BITS = CFG.score_bits - SCORE_FRAC + 1  # ceil of the largest score needs one bit more
    LIM = 1 << CFG.score_bits
    LEVEL_BITS = C_BITS + 1

    c, ceiling, level = sint(C_BITS), sint(LEVEL_BITS), sint(LEVEL_BITS)
    f = uint(SCORE_FRAC)
    ve0 = uint(len(ve))
    mantissa = uint(CFG.p_frac + 1)
    valid0, valid1, first0, first1 = bit(), bit(), bit(), bit()
    m, r = sint(LEVEL_BITS), sint(LEVEL_BITS)
    difference = uint(len(gap))

    @always(clk.posedge)
    def split():
        up = intbv(0, min=-LIM, max=LIM)
        negative = intbv(0, min=-LIM, max=LIM)
        up[:] = s + FRACTION
        c.next = up >> SCORE_FRAC
        negative[:] = -s
        f.next = negative[SCORE_FRAC:]
        ve0.next = ve
        valid0.next = valid
        first0.next = first

    @always(clk.posedge)
    def levels():
        wide = intbv(0, min=-LIM, max=LIM)
        wide[:] = ve0
        ceiling.next = c
        level.next = c + wide
        mantissa.next = TABLE[f]
        valid1.next = valid0
        first1.next = first0

    @always(clk.posedge)
    def maxima():
        difference.next = r - m

    denominator = weight(clk, valid1, first1, ceiling, mantissa, m, p_den, scale_den, step_den)
    numerator = weight(clk, valid1, first1, level, mantissa, r, p_num, scale_num, step_num)
    beside = delay(clk, difference, gap, CYCLES=one_weight.LATENCY - 2)
    return split, levels, maxima, denominator, numerator, beside
