"""sigmoid against golden.fixed.swiglu.sigmoid2, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.swiglu import sigmoid2
from llama2_myhdl.rtl.ffn.sigmoid import LATENCY, ports, sigmoid
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import F_BITS
from tb.myhdl_sim import simulate
from tb.pipeline import apply

LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1


def vectors():
    """The ends of F, around zero and every whole number up to 40 on both sides, and random values."""
    rng = random.Random(10)
    whole = [sign * (n << 20) + d for n in range(40) for sign in (-1, 1) for d in (-1, 0, 1)]
    small = [rng.randrange(-20 << 20, 20 << 20) for _ in range(1500)]
    return [dict(u=u) for u in [LOW, LOW + 1, HIGH] + whole + small + [rng.randrange(LOW, HIGH) for _ in range(200)]]


def wanted(vectors):
    return [dict(y=int(sigmoid2(v["u"]))) for v in vectors]


def test_sigmoid_myhdl():
    assert simulate(sigmoid, ports(), vectors(), ["y"], LATENCY) == wanted(vectors())


@pytest.mark.parametrize("sim", SIMULATORS)
def test_sigmoid(sim):
    run(sigmoid, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    found, golden = await apply(dut, vectors(), dict(y=False), LATENCY), wanted(vectors())
    assert found == golden
    assert len(found) == 3 + 240 + 1700
    assert found[1:] != golden[:-1]  # one cycle off is seen
