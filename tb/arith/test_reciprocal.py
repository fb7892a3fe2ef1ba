"""reciprocal against golden.fixed.functions.reciprocal, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.functions import reciprocal as golden_reciprocal
from llama2_myhdl.rtl.arith.reciprocal import LATENCY, ports, reciprocal
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import EXP2_FRAC, TABLE_BITS, UNIT
from tb.myhdl_sim import simulate
from tb.pipeline import apply

STEP = 1 << (EXP2_FRAC - TABLE_BITS)  # width of one table interval


def vectors():
    """Both ends and the middle of every table interval, and random values."""
    rng = random.Random(6)
    ends = [UNIT + k * STEP + d for k in range(1 << TABLE_BITS) for d in (0, 1, STEP // 2, STEP - 1)]
    return [dict(d=d) for d in ends + [rng.randrange(UNIT, 2 * UNIT) for _ in range(2000)]]


def wanted(vectors):
    return [dict(y=int(golden_reciprocal(v["d"]))) for v in vectors]


@pytest.mark.parametrize("sim", SIMULATORS)
def test_reciprocal(sim):
    run(reciprocal, ports(), __name__, sim, tests=1)


def test_reciprocal_myhdl():
    assert simulate(reciprocal, ports(), vectors(), ["y"], LATENCY) == wanted(vectors())


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    found, golden = await apply(dut, vectors(), dict(y=False), LATENCY), wanted(vectors())
    assert found == golden
    assert len(found) == 3024
    assert found[1:] != golden[:-1]  # one cycle off is seen
