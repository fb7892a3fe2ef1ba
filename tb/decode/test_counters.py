"""The counters count what they are shown, only while enabled, and the causes add up to the cycles."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, FallingEdge

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.decode.counters import cycle_counter, engine_counters, ports
from llama2_myhdl.rtl.stream.stream import uint
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.causes import CAUSES
from llama2_myhdl.spec.counters import COUNTER_BITS, COUNTERS, SELECT_BITS

SOURCES = 5
CYCLES = 500
STROBES = ("token", "attention_busy", "overflow")


@hblock
def both_counters(clk, rst, enable, cause, token, attention_busy, saturated, overflow, select, value, cycles):
    """An engine's counters beside the cycles."""
    engine_counters_ = engine_counters(clk=clk, rst=rst, enable=enable, cause=cause, token=token,
                                       attention_busy=attention_busy, saturated=saturated, overflow=overflow,
                                       select=select, value=value)
    cycle_counter_ = cycle_counter(clk, rst, enable, cycles)
    return engine_counters_, cycle_counter_


@pytest.mark.parametrize("sim", SIMULATORS)
def test_counters(sim):
    run(both_counters, ports(SOURCES) | dict(cycles=uint(COUNTER_BITS)), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def counts(dut):
    """Random strobes; saturations of several sources in one cycle all count, a cycle late. A reset clears all."""
    rng = random.Random(3)
    for name in ("enable", *STROBES, "cause", "saturated", "select"):
        getattr(dut, name).value = 0
    await start(dut)
    for _ in range(2):
        expected = dict.fromkeys(COUNTERS, 0)
        cycles = before = 0  # saturations of the cycle before
        for _ in range(CYCLES):
            await FallingEdge(dut.clk)
            levels = {name: rng.randrange(2) for name in ("enable", *STROBES)}
            cause = rng.randrange(len(CAUSES))
            clipped = rng.randrange(1 << SOURCES) if rng.random() < 0.5 else 0
            for name, level in levels.items():
                getattr(dut, name).value = level
            dut.cause.value, dut.saturated.value = cause, clipped
            if levels["enable"]:
                cycles += 1
                expected[CAUSES[cause]] += 1
                expected["tokens"] += levels["token"]
                expected["attention_busy"] += levels["attention_busy"]
                expected["list_overflows"] += levels["overflow"]
                expected["saturations"] += before
            before = clipped.bit_count()
        await FallingEdge(dut.clk)
        dut.enable.value = 0
        got = []
        for number in range(1 << SELECT_BITS):
            dut.select.value = number
            await FallingEdge(dut.clk)
            got.append(int(dut.value.value))
        assert got == list(expected.values()) + [0] * (len(got) - len(COUNTERS))
        assert dut.cycles.value == cycles == sum(got[: len(CAUSES)])
        assert min(expected.values()) > 0 and expected["saturations"] > CYCLES / 4
        dut.rst.value, dut.saturated.value = 1, 0
        await ClockCycles(dut.clk, 2)
        dut.rst.value = 0
        await FallingEdge(dut.clk)
        assert dut.cycles.value == 0
