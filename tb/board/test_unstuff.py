"""unstuff: escapes are taken out, whatever the pauses, and a reset forgets one that was half read."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.board.unstuff import ports, unstuff
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.link import END, ESCAPE, FLIP
from tb.bench import TRAFFIC

BYTES = 200


@pytest.mark.parametrize("sim", SIMULATORS)
def test_unstuff(sim):
    run(unstuff, ports(), __name__, sim, tests=2)


def parts(line):
    """What the bytes of a line are, by the definition."""
    found, escaped = [], False
    for byte in line:
        if byte != ESCAPE:
            found.append(dict(data=byte ^ FLIP if escaped else byte, end=int(byte == END)))
        escaped = byte == ESCAPE
    return found


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def under_traffic(dut):
    rng = random.Random(2)
    source, sink = StreamSource(dut, "s", data=8), StreamSink(dut, "m", data=8, end=1)
    await start(dut)
    line = [rng.choice((END, ESCAPE, END ^ FLIP, rng.randrange(256))) for _ in range(BYTES)] + [1]
    wanted = parts(line)
    for idle, wait in TRAFFIC:
        source.pause(rng, idle)
        sink.pause(rng, wait)
        await source.send(*(dict(data=byte) for byte in line))
        await sink.wait(len(wanted))
        await ClockCycles(dut.clk, 3)
        assert list(sink.queue) == wanted and 0 < len(wanted) < len(line)
        sink.queue.clear()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_behind_an_escape(dut):
    source, sink = StreamSource(dut, "s", data=8), StreamSink(dut, "m", data=8, end=1)
    await start(dut)
    await source.send(dict(data=7), dict(data=ESCAPE))
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    sink.queue.clear()
    await source.send(dict(data=9))
    await ClockCycles(dut.clk, 2)
    assert list(sink.queue) == [dict(data=9, end=0)]
