"""The counters count what they are shown, only while enabled."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, FallingEdge

from rtl.decode.counters import COUNTER_BITS, counters
from rtl.stream.stream import bit, uint
from tb.clock import start
from tb.runner import SIMULATORS, run

SOURCES = 5
CYCLES = 500
NAMES = ("cycles", "mac_beats", "attention_cycles", "saturations")


def ports():
    counts = {name: uint(COUNTER_BITS) for name in NAMES}
    return dict(
        clk=bit(), rst=bit(), enable=bit(), mac_beat=bit(), attention_busy=bit(), saturated=uint(SOURCES), **counts
    )


@pytest.mark.parametrize("sim", SIMULATORS)
def test_counters(sim):
    run(counters, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def counts(dut):
    """Random strobes; saturations of several sources in one cycle all count, a cycle late."""
    rng = random.Random(3)
    expected = dict.fromkeys(NAMES, 0)
    inputs = dict(enable=dut.enable, mac_beat=dut.mac_beat, attention_busy=dut.attention_busy)
    for pin in (*inputs.values(), dut.saturated):
        pin.value = 0
    await start(dut)
    before = 0  # saturations of the cycle before
    for _ in range(CYCLES):
        await FallingEdge(dut.clk)
        levels = {name: rng.randrange(2) for name in inputs}
        clipped = rng.randrange(1 << SOURCES) if rng.random() < 0.5 else 0
        for name, level in levels.items():
            inputs[name].value = level
        dut.saturated.value = clipped
        if levels["enable"]:
            expected["cycles"] += 1
            expected["mac_beats"] += levels["mac_beat"]
            expected["attention_cycles"] += levels["attention_busy"]
            expected["saturations"] += before
        before = clipped.bit_count()
    await FallingEdge(dut.clk)
    dut.enable.value = 0
    await ClockCycles(dut.clk, 3)
    got = {name: int(getattr(dut, name).value) for name in NAMES}
    assert got == expected and expected["saturations"] > CYCLES / 4
