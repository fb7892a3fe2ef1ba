"""sincos against golden.fixed.functions.sine and cosine, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.functions import cosine, sine
from llama2_myhdl.rtl.rope.sincos import LATENCY, ports, sincos
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import PHASE_BITS, TABLE_BITS, UNIT
from tb.myhdl_sim import simulate
from tb.pipeline import apply


def vectors():
    """Around every table entry of every quadrant, the quadrants' edges among them; random phases; sine and cosine."""
    rng = random.Random(5)
    step = 1 << (PHASE_BITS - 2 - TABLE_BITS)
    phases = [(k * step + d) % (1 << PHASE_BITS) for k in range(4 << TABLE_BITS) for d in (-1, 0)]
    phases += [q << (PHASE_BITS - 2) | low for q in range(4) for low in (1, 1 << 10, (1 << 10) - 1, (1 << 30) - 1)]
    phases += [rng.randrange(1 << PHASE_BITS) for _ in range(1000)]
    return [dict(phase=phase, cosine=function) for function in (0, 1) for phase in phases]


def wanted(vectors):
    return [dict(y=int(cosine(v["phase"]) if v["cosine"] else sine(v["phase"]))) for v in vectors]


def test_sincos_myhdl():
    assert simulate(sincos, ports(), vectors(), ["y"], LATENCY) == wanted(vectors())


@pytest.mark.parametrize("sim", SIMULATORS)
def test_sincos(sim):
    run(sincos, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    found, golden = await apply(dut, vectors(), dict(y=True), LATENCY), wanted(vectors())
    assert found == golden
    assert len(found) == 6128
    assert max(row["y"] for row in found) == UNIT and min(row["y"] for row in found) == -UNIT
    assert found[1:] != golden[:-1]  # one cycle off is seen
