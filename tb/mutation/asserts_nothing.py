"""A test that simulates a skid buffer and asserts nothing: no fault can fail it. Not collected, but by its name."""

import cocotb
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.stream.skid import ports, skid
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import run
from tb.stream.buffer_cocotb import beats

SIM = "icarus"


def test_skid():
    run(skid, ports(beats()), __name__, SIM, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def nothing_is_looked_at(dut):
    await start(dut)
    await ClockCycles(dut.clk, 3)
