"""The denominator of a head's softmax: a sum of exponentials; and what the numerator needs of each of them."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.attention import weight as one_weight
from llama2_myhdl.rtl.attention.lazy import CLEAR, SCALE_BITS, STEP, STEP_BITS
from llama2_myhdl.rtl.attention.weight import weight
from llama2_myhdl.rtl.attention.weighted_sum import den_bits
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.formats import SCORE_FRAC
from llama2_myhdl.spec.tables import exp2_table

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
    valid0, first0, counts0, counts1, counts2 = [bit() for _ in range(5)]
    p, term = uint(CFG.p_frac + 1), uint(TERM)
    scale0, scale1, scale2 = [uint(SCALE_BITS) for _ in range(3)]
    step0, step1, step2 = [uint(STEP_BITS) for _ in range(3)]

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

    weight_ = weight(clk=clk, valid=valid0, first=first0, level=ceiling, mantissa=mantissa, reference=m, p=p,
                     scale=scale0, step=step0, counts=counts0, BEHIND=1)

    @always(clk.posedge)
    def follow():
        scale1.next = scale0
        scale2.next = scale1
        scale.next = scale2
        step1.next = step0
        step2.next = step1
        counts1.next = counts0
        counts2.next = counts1

    @always(clk.posedge)
    def scale_weight():
        t = intbv(0)[TERM:]
        t[:] = p
        term.next = t << scale1

    @always(clk.posedge)
    def accumulate():
        kept = intbv(0)[DEN:]
        if counts2:
            if step2 == CLEAR:
                kept[:] = 0
            elif step2 == 2:
                kept[:] = den >> (2 * STEP)
            elif step2 == 1:
                kept[:] = den >> STEP
            else:
                kept[:] = den
            den.next = kept + term

    return split, look_up, weight_, follow, scale_weight, accumulate


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `exp_sum(**ports(cfg))`."""
    c, m = sint(ceiling_bits(cfg)), sint(ceiling_bits(cfg))
    total = dict(den=uint(den_bits(cfg) + STEP - 1), scale=uint(SCALE_BITS))
    return dict(clk=bit(), valid=bit(), first=bit(), s=sint(cfg.score_bits), c=c, mantissa=uint(cfg.p_frac + 1), m=m,
                **total, CFG=cfg)
