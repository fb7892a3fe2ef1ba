"""Start of a simulator: Python's collector is at work again when the tests run, and leaves their imports alone."""

import gc

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.stream.fifo import fifo, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.startup import ENTRY_POINTS
from tb.stream.buffer_cocotb import beats


@cocotb.test()
async def test_collector(dut):
    await start(dut)
    await ClockCycles(dut.clk, 1)
    assert gc.isenabled()
    assert gc.get_freeze_count() > 10_000


@pytest.mark.parametrize("sim", SIMULATORS)
def test_it_collects_what_comes_after_the_imports(sim):
    assert run(fifo, ports(beats(), 1), __name__, sim, tests=1) == 1


def test_cocotb_is_started_as_it_starts_itself(monkeypatch):
    from pygpi import entry

    default = []
    monkeypatch.setattr(entry._env, "get_list", lambda name, names: default.extend(names) or [])
    entry.load_entry()
    first, *between, last = ENTRY_POINTS.split(",")
    assert between == default
    assert [first, last] == [f"llama2_myhdl.sim.startup:{name}" for name in ("pause", "resume")]
