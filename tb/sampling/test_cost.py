"""cost against golden.fixed.sampler.costs: every shift, edges of scale and logits, in Verilog and in MyHDL."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.sampler import costs
from llama2_myhdl.rtl.sampling.cost import LATENCY, cost, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import F_MAX, F_MIN
from llama2_myhdl.spec.sampling import FLOOR_OFF, P_OFF, SHIFT_MAX, SHIFT_MIN, Registers
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.sampling.script import Script

OUTPUTS = dict(u=True)
COMPARED = 2380


def script():
    """A scale and a shift come a cycle before their first logit and stay until the last cost."""
    rng, made = random.Random(18), Script()
    for shift in range(SHIFT_MIN, SHIFT_MAX + 1):
        for scale in (0, 1, (1 << 16) - 1, rng.getrandbits(16)):
            registers = Registers(greedy=0, scale=scale, shift=shift, k=0, p=P_OFF, floor=FLOOR_OFF, seed=0)
            logits = [F_MIN, F_MIN + 1, -1, 0, 1, F_MAX, *(rng.randint(F_MIN, F_MAX) for _ in range(20))]
            logits += [1 << rng.randrange(31) for _ in range(4)] + [-(1 << rng.randrange(31)) for _ in range(5)]
            settings = dict(scale=scale, shift=shift)
            made.cycle(x=rng.randint(F_MIN, F_MAX), **settings)
            for x, u in zip(logits, costs(logits, registers).tolist()):
                assert u == -x * (65536 + scale) >> shift
                made.expect(made.cycle(x=x, **settings) + LATENCY, u=u)
            for _ in range(LATENCY):
                made.cycle(x=rng.randint(F_MIN, F_MAX), **settings)
    made.cycle(**made.inputs[-1])
    return made


def test_cost_myhdl():
    made = script()
    assert made.compare(simulate(cost, ports(), made.inputs, OUTPUTS, 0)) == COMPARED


@pytest.mark.parametrize("sim", SIMULATORS)
def test_cost(sim):
    run(cost, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_cycles(dut):
    made = script()
    found = await apply(dut, made.inputs, OUTPUTS, 0)
    assert made.compare(found) == COMPARED
    with pytest.raises(AssertionError):
        made.compare(found[1:])  # one cycle off is seen
