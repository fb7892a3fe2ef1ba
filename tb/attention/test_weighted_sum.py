"""weighted_sum against the recurrence acc = (acc >> growth) + term, in Verilog and in MyHDL's simulation."""
import random
from dataclasses import replace

import cocotb
import pytest

from llama2_myhdl.rtl.attention.lazy import CLEAR, STEP
from llama2_myhdl.rtl.attention.weighted_sum import LATENCY, lanes_a_group, num_bits, ports, weighted_sum
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.presets import PRESETS
from tb.lanes import packed, row, unpacked
from tb.myhdl_sim import simulate
from tb.pipeline import apply

CFG = replace(PRESETS["default"].build, max_head_dim=6, max_seq=128)
LANES, V_BITS = CFG.max_head_dim, CFG.value_bits
SIZE = lanes_a_group(LANES)
NUM = num_bits(CFG) + STEP - 1
ONE = 1 << CFG.p_frac


class Lazy:
    """Keeps scale and step of one accumulator."""

    def __init__(self):
        self.scale = 0

    def step(self, first, growth):
        total = 0 if first else self.scale + growth
        self.scale = total % STEP
        return dict(scale=self.scale, step=CLEAR if first else total // STEP)


def vectors():
    """Heads of full length at the extremes, and random ones; `wanted`: num and its scale, None when idle."""
    rng, inputs, wanted = random.Random(2), [], []
    kinds = [("max", ONE, 0), ("min", ONE, 0), ("min", ONE, 1), ("random", ONE, 31), ("min", 1, 31)]
    kinds += [("random", None, g) for g in (0, 1, 3, 15, 16, 31) for _ in range(6)]
    for n, (kind, weight, most) in enumerate(kinds):
        lazy, num = Lazy(), [0] * LANES
        for t in range(CFG.max_seq if weight and not most else rng.randint(1, 30)):
            v = row(rng, kind, LANES, V_BITS)
            p = rng.randint(0, ONE) if weight is None else weight
            growth = rng.choice((0, 0, rng.randint(0, most)))
            step = lazy.step(t == 0, growth)
            num = [(0 if t == 0 else x >> growth) + p * y for x, y in zip(num, v)]
            inputs.append(dict(valid=1, p=p, **step, v=packed(v, V_BITS)))
            wanted.append((num, step["scale"]))
        for _ in range(n % 3):
            inputs.append(dict(inputs[-1], valid=0))
            wanted.append(None)
    idle = [dict(inputs[0], valid=0)] * LANES
    inputs, wanted = [inputs[0], *idle, *inputs, *idle], [None] * (LANES + 1) + wanted  # the first makes all sums known
    weights = [0] + [step["p"] for step in inputs]  # a cycle behind the rest
    return [dict(step, p=p) for step, p in zip(inputs, weights)], wanted


def compared(found, wanted):
    """Lanes that agree; AssertionError at the first that does not."""
    count = 0
    for t, want in enumerate(wanted):
        if want is not None:
            num, scale = want
            lanes = [unpacked(found[t + i // SIZE]["num"], NUM, LANES)[i] for i in range(LANES)]
            assert [x >> scale for x in lanes] == num, f"timestep {t}"
            count += LANES
    return count


@pytest.mark.parametrize("sim", SIMULATORS)
def test_weighted_sum(sim):
    run(weighted_sum, ports(CFG), __name__, sim, tests=1)


def test_weighted_sum_myhdl():
    inputs, wanted = vectors()
    found = simulate(weighted_sum, ports(CFG), inputs, ["num"], LATENCY)
    assert compared(found, wanted) == LANES * (sum(v["valid"] for v in inputs) - 1) > 5000


def test_compared_can_fail():
    with pytest.raises(AssertionError, match="timestep 0"):
        compared([dict(num=0)] * 2, [([0] * (LANES - 1) + [1], 0)])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    inputs, wanted = vectors()
    found = await apply(dut, inputs, dict(num=False), LATENCY)
    assert compared(found, wanted) == LANES * (sum(v["valid"] for v in inputs) - 1) > 5000
