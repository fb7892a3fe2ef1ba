"""Numerator of attention: a sum of weighted value rows that shifts when its reference grows."""
from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.attention import lane_group as group
from llama2_myhdl.rtl.attention.lane_group import lane_group
from llama2_myhdl.rtl.attention.lazy import SCALE_BITS, STEP, STEP_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2

LATENCY = group.LATENCY  # cycles from a value to the sum that holds it, of lane 0

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
def weighted_sum(clk, valid, p, scale, step, v, num, CFG):
    """num[i] = (num[i] >> growth) + p * v[i]; growth as scale and step (lazy.py).

    Ports: clk; valid, scale, step from `weight`, p a cycle behind them; v: packed signed lanes of CFG.value_bits,
    beside scale; num: packed signed lanes of num_bits(CFG) + STEP - 1 bits, `scale` bits up. Up to one timestep a
    cycle, LATENCY cycles; the lanes of `num` are skewed, see lanes_a_group. max_head_dim multipliers (18x18 each in
    builds of up to 512 positions).

        p ─> group 0 ─> group 1 ─> ...     the weight passes one group a cycle: no register drives all multipliers
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
    scales = [uint(len(scale)) for _ in range(len(counts) + 1)]
    steps = [uint(len(step)) for _ in range(len(counts) + 1)]
    p0, valid0, scale0, step0 = ps[0], valids[0], scales[0], steps[0]
    unused(ps[-1], valids[-1], scales[-1], steps[-1])

    @always_comb
    def enter():
        p0.next = p
        valid0.next = valid
        scale0.next = scale
        step0.next = step

    split = unpack(v, vs)
    delays = [delay(clk, x, y, CYCLES=g + 1) for g, (x, y) in enumerate(zip(vs[1:], v_later))]
    lane_groups = [lane_group(clk=clk, valid=valids[g], p=ps[g], scale=scales[g], step=steps[g], v=x, num=sums[g],
                              valid_next=valids[g + 1], p_next=ps[g + 1], scale_next=scales[g + 1],
                              step_next=steps[g + 1], LANES=counts[g]) for g, x in enumerate([vs[0], *v_later])]
    joining = pack(sums, num)
    return enter, split, delays, lane_groups, joining


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `weighted_sum(**ports(cfg))`."""
    weight = dict(p=uint(cfg.p_frac + 1), scale=uint(SCALE_BITS), step=uint(STEP_BITS))
    v, num = uint(cfg.max_head_dim * cfg.value_bits), uint(cfg.max_head_dim * (num_bits(cfg) + STEP - 1))
    return dict(clk=bit(), valid=bit(), **weight, v=v, num=num, CFG=cfg)
