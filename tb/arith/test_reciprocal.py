"""reciprocal against golden.fixed.functions.reciprocal, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from golden.fixed.functions import reciprocal as golden_reciprocal
from rtl.arith.reciprocal import LATENCY, reciprocal
from rtl.config import EXP2_FRAC, TABLE_BITS, UNIT
from rtl.stream.stream import bit, uint
from tb.arith.pipeline import compare, run_myhdl, run_verilog
from tb.runner import SIMULATORS, run

STEP = 1 << (EXP2_FRAC - TABLE_BITS)  # width of one table interval


def ports():
    return dict(clk=bit(), d=uint(EXP2_FRAC + 1), y=uint(EXP2_FRAC + 1))


def vectors():
    """Both ends and the middle of every table interval, and random values."""
    rng = random.Random(6)
    ends = [UNIT + k * STEP + d for k in range(1 << TABLE_BITS) for d in (0, 1, STEP // 2, STEP - 1)]
    return {"d": ends + [rng.randrange(UNIT, 2 * UNIT) for _ in range(2000)]}


@pytest.mark.parametrize("sim", SIMULATORS)
def test_reciprocal(sim):
    run(reciprocal, ports(), __name__, sim, tests=1)


def test_reciprocal_myhdl():
    inputs = vectors()
    got = run_myhdl(reciprocal, ports(), inputs, {"y": False}, LATENCY)
    assert compare(got, {"y": golden_reciprocal(inputs["d"]).tolist()}) == len(inputs["d"])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    inputs = vectors()
    got = await run_verilog(dut, inputs, {"y": False}, LATENCY)
    assert compare(got, {"y": golden_reciprocal(inputs["d"]).tolist()}) == len(inputs["d"]) > 3000
