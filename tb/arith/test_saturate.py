"""saturate against golden.fixed.arith.saturate, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

import llama2_myhdl.golden.fixed.arith as golden
from llama2_myhdl.rtl.arith.saturate import LATENCY, ports, saturate
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.myhdl_sim import simulate
from tb.pipeline import apply

WIDTHS = [(50, 32), (33, 32), (9, 8)]
OUTPUTS = dict(y=True, clipped=False)


def vectors(x_bits, y_bits):
    rng = random.Random(6)
    edges = [sign * (1 << (y_bits - 1)) + d for sign in (-1, 1) for d in (-2, -1, 0, 1)]
    low, high = -(1 << (x_bits - 1)), (1 << (x_bits - 1)) - 1
    spread = [rng.randrange(low, high + 1) >> rng.randrange(x_bits) for _ in range(300)]
    return [dict(x=x) for x in edges + [low, high, -1, 0, 1] + spread]


def wanted(vectors, y_bits):
    values = [(v["x"], int(golden.saturate(v["x"], y_bits))) for v in vectors]
    return [dict(y=y, clipped=int(x != y)) for x, y in values]


@pytest.mark.parametrize("widths", WIDTHS)
def test_saturate_myhdl(widths):
    assert simulate(saturate, ports(*widths), vectors(*widths), list(OUTPUTS), LATENCY) == wanted(vectors(*widths),
                                                                                               widths[1])


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_saturate(sim, widths):
    run(saturate, ports(*widths), __name__, sim, tests=1)


def test_widths_are_checked():
    with pytest.raises(ValueError, match="y has 8 bits, must have fewer than x, which has 8"):
        saturate(**ports(8, 8))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    widths = len(dut.x), len(dut.y)
    found = await apply(dut, vectors(*widths), OUTPUTS, LATENCY)
    assert found == wanted(vectors(*widths), widths[1])
    assert len(found) == 313
    assert 0 < sum(row["clipped"] for row in found) < len(found)
