"""The numerator of a head's softmax: value rows, weighted."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.attention import weight as one_weight
from llama2_myhdl.rtl.attention import weighted_sum as sums
from llama2_myhdl.rtl.attention.exp_sum import ceiling_bits
from llama2_myhdl.rtl.attention.lazy import SCALE_BITS, STEP, STEP_BITS
from llama2_myhdl.rtl.attention.weight import weight
from llama2_myhdl.rtl.attention.weighted_sum import num_bits, weighted_sum
from llama2_myhdl.rtl.quant.exponent import EXPONENT_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig

VALUES = 1 + one_weight.SCALED  # cycles that a value row comes behind its score and its exponent
LATENCY = VALUES + sums.LATENCY  # cycles from a score to the sums that hold it


@hblock
def numerator(clk, valid, first, c, mantissa, m, ve, v, num, scale, gap, CFG):
    """num[i] = sum of 2**(s + ve - r) * v[i] with r = max(c + ve), gap = r - m: see golden.fixed.attention.

    Ports: clk; valid; first: t = 0 of a head; c, mantissa, m from `exp_sum`; ve uint(5): exponent of the value row;
    v: the row, packed signed lanes of CFG.value_bits, VALUES cycles later; num, scale: see `weighted_sum`; gap uint(5).
    Latency LATENCY cycles. A pure pipeline, up to one timestep a cycle; max_head_dim multipliers.

        c + ve ─> weight ─> weighted sum ─> num, scale
                     └─> r - m ─> gap       v ┘
    """
    LEVEL_BITS = len(c) + 1
    LIM = 1 << LEVEL_BITS
    GAP_BITS = len(gap)

    valid0, first0, counts = bit(), bit(), bit()
    level, r = sint(LEVEL_BITS), sint(LEVEL_BITS)
    m0, m1 = sint(len(m)), sint(len(m))
    mantissa0, p = uint(len(mantissa)), uint(len(mantissa))
    scale0 = uint(SCALE_BITS)
    step = uint(STEP_BITS)
    difference = uint(len(gap))

    @always(clk.posedge)
    def enter():
        exponent = intbv(0, min=-LIM, max=LIM)
        exponent[:] = ve
        level.next = c + exponent
        mantissa0.next = mantissa
        valid0.next = valid
        first0.next = first
        m0.next = m
        m1.next = m0

    @always(clk.posedge)
    def references():
        distance = intbv(0, min=-LIM, max=LIM)
        distance[:] = r - m1
        difference.next = distance[GAP_BITS:]  # a slice: what comes without a timestep may not fit

    weight_ = weight(clk=clk, valid=valid0, first=first0, level=level, mantissa=mantissa0, reference=r, p=p,
                     scale=scale0, step=step, counts=counts, BEHIND=0)
    weighted_sum_ = weighted_sum(clk=clk, valid=counts, p=p, scale=scale0, step=step, v=v, num=num, CFG=CFG)
    scale_delay = delay(clk, scale0, scale, CYCLES=sums.LATENCY)
    gap_delay = delay(clk, difference, gap, CYCLES=LATENCY - 3)
    return enter, references, weight_, weighted_sum_, scale_delay, gap_delay


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `numerator(**ports(cfg))`."""
    c, m = sint(ceiling_bits(cfg)), sint(ceiling_bits(cfg))
    score = dict(valid=bit(), first=bit(), c=c, mantissa=uint(cfg.p_frac + 1), m=m)
    value = dict(ve=uint(EXPONENT_BITS), v=uint(cfg.max_head_dim * cfg.value_bits))
    num = uint(cfg.max_head_dim * (num_bits(cfg) + STEP - 1))
    sums = dict(num=num, scale=uint(SCALE_BITS), gap=uint(EXPONENT_BITS))
    return dict(clk=bit(), **score, **value, **sums, CFG=cfg)
