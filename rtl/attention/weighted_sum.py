"""Numerator and denominator of attention: sums of weighted value rows that shift when their reference grows."""
from myhdl import always, always_comb, intbv

from rtl.arith.delay import delay
from rtl.attention import lane_group as group
from rtl.attention.lane_group import FINE_BITS, lane_group
from rtl.attention.lazy import CLEAR, STEP
from rtl.config import clog2
from rtl.hdl.hierarchy import hblock, unused
from rtl.hdl.lanes import pack, unpack
from rtl.stream.stream import bit, sint, uint

LATENCY = group.LATENCY  # cycles from a timestep to the sums that hold it, of the denominator and of lane 0

_GROUP = 4  # lanes that one register of the weight drives, unless that makes more than _MOST groups
_MOST = 8


def lanes_a_group(lanes):
    """Lanes with the same timing: lane i is i // lanes_a_group(lanes) cycles behind lane 0."""
    return max(_GROUP, 2 * -(-lanes // (2 * _MOST)))


def num_bits(CFG):
    """Width of a numerator that cannot overflow: max_seq weights of up to 1.0 times int8 values."""
    return CFG.p_frac + CFG.value_bits + clog2(CFG.max_seq)


def den_bits(CFG):
    """Width of a denominator that cannot overflow."""
    return CFG.p_frac + clog2(CFG.max_seq) + 1


@hblock
def weighted_sum(clk, valid, p_num, scale_num, step_num, p_den, scale_den, step_den, v, num, den, CFG):
    """num[i] = (num[i] >> growth) + p_num * v[i], den = (den >> growth) + p_den; growth as scale and step (lazy.py).

    Ports: clk; valid; p_*, scale_*, step_* from `softmax`; v: packed signed lanes of CFG.value_bits; num: packed signed
    lanes of num_bits(CFG) + STEP - 1 bits, `scale_num` bits up; den unsigned, den_bits(CFG) + STEP - 1 bits,
    `scale_den` bits up. One timestep a cycle, LATENCY cycles; lanes of `num` are skewed, see lanes_a_group.
    max_head_dim multipliers (18x18 each in builds of up to 512 positions).

        p_num ─> group 0 ─> group 1 ─> ...     the weight passes one group a cycle: no register drives all multipliers
                   v[0..3]    v[4..7], one cycle later
    """
    LANES = CFG.max_head_dim
    SIZE = lanes_a_group(LANES)
    V_BITS, NUM = CFG.value_bits, len(num) // LANES
    counts = [min(SIZE, LANES - low) for low in range(0, LANES, SIZE)]

    vs = [uint(count * V_BITS) for count in counts]
    v_later = [uint(count * V_BITS) for count in counts[1:]]
    sums = [uint(count * NUM) for count in counts]
    valids = [bit() for _ in range(len(counts) + 1)]
    ps = [sint(CFG.p_frac + 2) for _ in range(len(counts) + 1)]
    scales = [uint(len(scale_num)) for _ in range(len(counts) + 1)]
    steps = [uint(len(step_num)) for _ in range(len(counts) + 1)]
    p0, valid0, scale0, step0 = ps[0], valids[0], scales[0], steps[0]
    unused(ps[-1], valids[-1], scales[-1], steps[-1])

    @always_comb
    def enter():
        p0.next = p_num
        valid0.next = valid
        scale0.next = scale_num
        step0.next = step_num

    split = unpack(v, vs)
    waits = [delay(clk, x, y, CYCLES=g + 1) for g, (x, y) in enumerate(zip(vs[1:], v_later))]
    groups = [lane_group(clk, valids[g], ps[g], scales[g], steps[g], x, sums[g], valids[g + 1], ps[g + 1],
                         scales[g + 1], steps[g + 1], LANES=counts[g]) for g, x in enumerate([vs[0], *v_later])]
    joining = pack(sums, num)
    denominator = lane_of_ones(clk, valid, p_den, scale_den, step_den, den)
    return enter, split, waits, groups, joining, denominator


@hblock
def lane_of_ones(clk, valid, p, scale, step, den):
    """den = (den >> growth) + p: as `lane_group`, without values, unsigned; the same latency."""
    HIGH = 1 << FINE_BITS
    PRODUCT = len(p) + HIGH - 1
    TERM, DEN = PRODUCT + HIGH, len(den)

    product0, product1, term = uint(PRODUCT), uint(PRODUCT), uint(TERM)
    valid0, valid1, valid2, high0, high1 = [bit() for _ in range(5)]
    step0, step1, step2 = [uint(len(step)) for _ in range(3)]

    @always(clk.posedge)
    def travel():
        valid0.next = valid
        valid1.next = valid0
        valid2.next = valid1
        high0.next = scale[FINE_BITS]
        high1.next = high0
        step0.next = step
        step1.next = step0
        step2.next = step1

    @always(clk.posedge)
    def scale_weight():
        w = intbv(0)[PRODUCT:]
        t = intbv(0)[TERM:]
        w[:] = p
        product0.next = w << scale[FINE_BITS:]
        product1.next = product0
        t[:] = product1
        if high1:
            t[:] = t << HIGH
        term.next = t

    @always(clk.posedge)
    def accumulate():
        kept = intbv(0)[DEN:]
        if valid2:
            if step2 == CLEAR:
                kept[:] = 0
            elif step2 == 2:
                kept[:] = den >> (2 * STEP)
            elif step2 == 1:
                kept[:] = den >> STEP
            else:
                kept[:] = den
            den.next = kept + term

    return travel, scale_weight, accumulate
