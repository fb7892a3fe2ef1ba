"""numerator against the recurrence of golden.fixed.attention, timestep for timestep, in Verilog and in MyHDL."""
import random
from dataclasses import replace

import cocotb
import numpy as np
import pytest

from llama2_myhdl.rtl.attention.lazy import STEP
from llama2_myhdl.rtl.attention.numerator import LATENCY, VALUES, numerator, ports
from llama2_myhdl.rtl.attention.weighted_sum import lanes_a_group, num_bits
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.presets import PRESETS
from tb.attention.recurrence import heads, idle_before, running, split, weights
from tb.lanes import packed, row, unpacked
from tb.myhdl_sim import simulate
from tb.pipeline import apply

CFG = replace(PRESETS["default"].build, max_head_dim=6, max_seq=128)
LANES, V_BITS, NUM = CFG.max_head_dim, CFG.value_bits, num_bits(CFG) + STEP - 1
OUTPUTS = dict(num=False, scale=False, gap=False)
IDLE = dict(valid=0, first=1, c=2047, mantissa=1, m=-2048, ve=31)


def vectors():
    """Timesteps of all heads with idle cycles between and within some; `wanted` is None where there is none."""
    # the first timestep makes all sums known
    rng, inputs = random.Random(4), [dict(IDLE, valid=1)] + [IDLE] * LANES
    wanted, rows = [None] * len(inputs), [0] * len(inputs)
    for n, (s, ve) in enumerate(heads()):
        s, ve = np.array(s), np.array(ve)
        c, mantissa, m = split(s, CFG.p_frac)
        p, growth = weights(s, c + ve, CFG.p_frac)
        v = np.array([row(rng, rng.choice(("max", "min", "random")), LANES, V_BITS) for _ in s])
        sums = running(p[:, None] * v, growth)
        for t in range(len(s)):
            for _ in range(idle_before(n, t)):
                inputs.append(IDLE)
                wanted.append(None)
                rows.append(rng.getrandbits(LANES * V_BITS))
            inputs.append(dict(valid=1, first=int(t == 0), c=int(c[t]), mantissa=int(mantissa[t]), m=int(m[t]),
                               ve=int(ve[t])))
            total, scale = sums[t]
            wanted.append((total.tolist(), scale, int(max((c + ve)[:t + 1]) - m[t])))
            rows.append(packed(v[t].tolist(), V_BITS))
    rows = [0] * VALUES + rows + [0] * (LATENCY + LANES)
    return [dict(x, v=rows[t]) for t, x in enumerate(inputs + [IDLE] * (LATENCY + LANES))], wanted


def compared(found, wanted):
    """Timesteps that agree, all lanes; AssertionError at the first that does not."""
    count, size = 0, lanes_a_group(LANES)
    for t, want in enumerate(wanted):
        if want is not None:
            end = found[t + LATENCY]
            lanes = [unpacked(found[t + LATENCY + i // size]["num"], NUM, LANES)[i] for i in range(LANES)]
            assert ([x >> end["scale"] for x in lanes], end["scale"], end["gap"]) == want, f"timestep {t}"
            count += 1
    return count


@pytest.mark.parametrize("sim", SIMULATORS)
def test_numerator(sim):
    run(numerator, ports(CFG), __name__, sim, tests=1)


def test_numerator_myhdl():
    inputs, wanted = vectors()
    found = simulate(numerator, ports(CFG), inputs, OUTPUTS, 0)
    assert compared(found, wanted) == sum(v["valid"] for v in inputs) - 1 > 900


def test_compared_can_fail():
    found = [dict(num=0, scale=1, gap=2)] * (LATENCY + LANES)
    assert compared(found, [([0] * LANES, 1, 2)]) == 1
    with pytest.raises(AssertionError, match="timestep 0"):
        compared(found, [([0] * (LANES - 1) + [1], 1, 2)])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    inputs, wanted = vectors()
    found = await apply(dut, inputs, OUTPUTS, 0)
    assert compared(found, wanted) == sum(v["valid"] for v in inputs) - 1 > 900
