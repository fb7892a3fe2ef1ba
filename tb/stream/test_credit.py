"""credit: never more than DEPTH taken, and ready says so one cycle after the fact."""
import random

import cocotb
import pytest
from cocotb.triggers import FallingEdge, RisingEdge

from llama2_myhdl.rtl.stream.credit import credit, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters

CYCLES = 1000


@pytest.mark.parametrize("depth", [1, 2, 5, 8])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_credit(sim, depth):
    run(credit, ports(depth), __name__, sim, parameters=dict(depth=depth), tests=2)


def test_depth_is_checked():
    with pytest.raises(ValueError, match="DEPTH must be 1 or more, not 0"):
        credit(**ports(0))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def counts(dut):
    depth, rng = test_parameters()["depth"], random.Random(7)
    dut.take.value = dut.give.value = 0
    await start(dut)
    await RisingEdge(dut.clk)
    used, seen = 0, set()
    for cycle in range(CYCLES):
        await FallingEdge(dut.clk)
        ready = int(dut.ready.value)
        assert ready == (used < depth), f"cycle {cycle}: ready {ready} with {used} of {depth} taken"
        phase = cycle // 100 % 3  # fill, drain, balance
        take = int(ready and rng.random() < (0.9, 0.2, 0.5)[phase])
        give = int(used > 0 and rng.random() < (0.2, 0.9, 0.5)[phase])
        dut.take.value, dut.give.value = take, give
        seen.add(used)
        used += take - give
    assert seen == set(range(depth + 1))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_gives_all_back(dut):
    """And `ready` is low as long as it lasts."""
    depth = test_parameters()["depth"]
    dut.take.value = dut.give.value = 0
    await start(dut)
    for taken in range(1, depth + 1):
        for _ in range(2):
            await FallingEdge(dut.clk)
        assert dut.ready.value == 1
        dut.take.value = 1
        await FallingEdge(dut.clk)
        dut.take.value = 0
        assert dut.ready.value == (taken < depth)
    dut.rst.value = 1
    for _ in range(3):
        await FallingEdge(dut.clk)
        assert dut.ready.value == 0
    dut.rst.value = 0
    await FallingEdge(dut.clk)
    assert dut.ready.value == 1
    dut.take.value = 1
    for taken in range(1, depth + 1):
        await FallingEdge(dut.clk)
        assert dut.ready.value == (taken < depth)
