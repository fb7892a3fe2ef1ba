"""under_way: room for LIMIT bursts and no more, none once it is told to stop; busy while there is one."""

import random

import cocotb
import pytest
from cocotb.triggers import FallingEdge

from llama2_myhdl.rtl.axi.under_way import ports, under_way
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters


@pytest.mark.parametrize("limit", [2, 5])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_under_way(sim, limit):
    run(under_way, ports(limit), __name__, sim, parameters=dict(limit=limit), tests=2)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def counts(dut):
    """In every cycle, in phases that fill, drain and hold; then with `stop`."""
    limit, rng = test_parameters()["limit"], random.Random(4)
    dut.take.value = dut.give.value = dut.stop.value = 0
    await start(dut)
    await FallingEdge(dut.clk)
    used, seen, stop = 0, set(), False
    for cycle in range(900):
        await FallingEdge(dut.clk)
        assert dut.room.value == (used < limit and not stop)
        assert dut.busy.value == (used > 0)
        seen.add((used, stop))
        stop = cycle > 300 and rng.random() < 0.3
        phase = cycle // 50 % 3
        take = dut.room.value == 1 and rng.random() < (0.9, 0.2, 0.5)[phase]
        give = used > 0 and rng.random() < (0.2, 0.9, 0.5)[phase]
        dut.take.value, dut.give.value, dut.stop.value = int(take), int(give), int(stop)
        used += take - give
    assert seen == {(count, stop) for count in range(limit + 1) for stop in (False, True)}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_with_bursts_under_way(dut):
    """There is no room in reset, and from a cycle behind it on there is, with nothing under way."""
    dut.take.value = dut.give.value = dut.stop.value = 0
    await start(dut)
    for _ in range(2):
        await FallingEdge(dut.clk)
    dut.take.value = 1
    await FallingEdge(dut.clk)
    dut.take.value = 0
    assert (dut.room.value, dut.busy.value) == (1, 1)
    dut.rst.value = 1
    for _ in range(2):
        await FallingEdge(dut.clk)
        assert (dut.room.value, dut.busy.value) == (0, 0)
    dut.rst.value = 0
    await FallingEdge(dut.clk)
    assert (dut.room.value, dut.busy.value) == (1, 0)
