"""Clock and reset of every cocotb test."""
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles

PERIOD_NS = 10
RESET_CYCLES = 3


def start_clock(dut):
    """Start `dut.clk` at PERIOD_NS; runs until the test ends."""
    Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start()


async def start(dut):
    """Start the clock and hold `dut.rst` high for RESET_CYCLES; returns at the first edge where it is low."""
    dut.rst.value = 1
    start_clock(dut)
    await ClockCycles(dut.clk, RESET_CYCLES)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 1)
