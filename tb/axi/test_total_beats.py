"""total_beats: the product, for every small number of parts and the largest one."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.axi.total_beats import ports, total_beats
from llama2_myhdl.sim.clock import start_clock
from llama2_myhdl.sim.runner import SIMULATORS, run

PARTS, BEATS, EACH = 12, 13, 16  # bits, and parts up to which every number is tried


@pytest.mark.parametrize("sim", SIMULATORS)
def test_total_beats(sim):
    run(total_beats, ports(PARTS, BEATS, PARTS + BEATS), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def products(dut):
    """`known` comes a cycle behind the last addition, and not before."""
    rng = random.Random(1)
    dut.enable.value = 0
    start_clock(dut)
    for parts in (*range(EACH), (1 << PARTS) - 1, 0x555, 0xAAA):
        beats = rng.choice((1, (1 << BEATS) - 1, rng.randrange(1 << BEATS)))
        dut.enable.value, dut.parts.value, dut.part_beats.value = 0, parts, beats
        await ClockCycles(dut.clk, 2)
        dut.enable.value = 1
        await ClockCycles(dut.clk, parts + 1)
        assert dut.known.value == 0
        await ClockCycles(dut.clk, 1)
        assert (dut.known.value, dut.total.value) == (1, parts * beats)
