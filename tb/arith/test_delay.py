"""delay: data come back whole, CYCLES later, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.arith.delay import delay, ports
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from tb.myhdl_sim import simulate
from tb.pipeline import apply

WIDTH = 5
CYCLES = [1, 9]


def vectors():
    rng = random.Random(18)
    return [dict(d=rng.randrange(1 << WIDTH)) for _ in range(100)]


@pytest.mark.parametrize("cycles", CYCLES)
def test_delay_myhdl(cycles):
    assert simulate(delay, ports(WIDTH, cycles), vectors(), ["q"], cycles) == [dict(q=v["d"]) for v in vectors()]


@pytest.mark.parametrize("cycles", CYCLES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_delay(sim, cycles):
    run(delay, ports(WIDTH, cycles), __name__, sim, parameters=dict(cycles=cycles), tests=1)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="CYCLES must be at least 1, is 0"):
        delay(**ports(WIDTH, 0))
    with pytest.raises(ValueError, match="q must be as wide as d, 5 bits, is 6"):
        delay(bit(), uint(WIDTH), uint(WIDTH + 1), CYCLES=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    found = await apply(dut, vectors(), dict(q=False), test_parameters()["cycles"])
    wanted = [dict(q=v["d"]) for v in vectors()]
    assert found == wanted and len(found) == 100
    assert found[1:] != wanted[:-1]  # one cycle off is seen
