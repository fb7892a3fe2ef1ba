"""exp_sum against the recurrence of golden.fixed.attention, timestep for timestep, in Verilog and in MyHDL."""
from dataclasses import replace

import cocotb
import numpy as np
import pytest

from llama2_myhdl.rtl.attention.exp_sum import LATENCY, SPLIT, exp_sum, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.presets import PRESETS
from tb.attention.recurrence import HIGH, heads, idle_before, running, split, weights
from tb.myhdl_sim import simulate
from tb.pipeline import apply

OUTPUTS = dict(c=True, mantissa=False, m=True, den=False, scale=False)
# 16 and 18 fraction bits of a weight
BUILDS = {context: replace(PRESETS["default"].build, max_seq=context) for context in (512, 2048)}
IDLE = dict(valid=0, first=1, s=HIGH)


def vectors(p_frac):
    """Timesteps of all heads with idle cycles between and within some; `wanted` is None where there is none."""
    inputs, wanted = [], []
    for n, (s, _) in enumerate(heads()):
        s = np.array(s)
        c, mantissa, m = split(s, p_frac)
        sums = running(*weights(s, c, p_frac))
        for t in range(len(s)):
            for _ in range(idle_before(n, t)):
                inputs.append(IDLE)
                wanted.append(None)
            inputs.append(dict(valid=1, first=int(t == 0), s=int(s[t])))
            wanted.append((int(c[t]), int(mantissa[t]), int(m[t]), *map(int, sums[t])))
    return inputs + [IDLE] * LATENCY, wanted


def compared(found, wanted):
    """Timesteps that agree; AssertionError at the first that does not."""
    count = 0
    for t, want in enumerate(wanted):
        if want is not None:
            early, late = found[t + SPLIT], found[t + LATENCY]
            den, scale = late["den"], late["scale"]
            assert (early["c"], early["mantissa"], early["m"], den >> scale, scale) == want, f"timestep {t}"
            count += 1
    return count


@pytest.mark.parametrize("context", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_exp_sum(sim, context):
    run(exp_sum, ports(BUILDS[context]), __name__, sim, parameters=dict(context=context), tests=1)


@pytest.mark.parametrize("context", BUILDS)
def test_exp_sum_myhdl(context):
    inputs, wanted = vectors(BUILDS[context].p_frac)
    found = simulate(exp_sum, ports(BUILDS[context]), inputs, OUTPUTS, 0)
    assert compared(found, wanted) == sum(v["valid"] for v in inputs) > 900


def test_compared_can_fail():
    found = [dict(c=1, mantissa=2, m=1, den=8, scale=1)] * (LATENCY + 1)
    assert compared(found, [(1, 2, 1, 4, 1)]) == 1
    with pytest.raises(AssertionError, match="timestep 0"):
        compared(found, [(1, 2, 1, 3, 1)])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    inputs, wanted = vectors(BUILDS[test_parameters()["context"]].p_frac)
    found = await apply(dut, inputs, OUTPUTS, 0)
    assert compared(found, wanted) == sum(v["valid"] for v in inputs) > 900
