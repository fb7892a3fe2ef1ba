"""mailbox: a FIFO of DEPTH entries and no more, whose count is what is in it."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, FallingEdge

from llama2_myhdl.rtl.control.mailbox import mailbox, ports
from llama2_myhdl.rtl.stream.stream import Stream, uint
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource


@pytest.mark.parametrize("depth", [2, 5, 16])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_mailbox(sim, depth):
    run(mailbox, ports(Stream(word=uint(20)), depth), __name__, sim, parameters=dict(depth=depth), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def counted(dut):
    depth, rng = test_parameters()["depth"], random.Random(2)
    source, sink = StreamSource(dut, "s", word=20), StreamSink(dut, "m", word=20)
    await start(dut)
    words = [rng.getrandbits(20) for _ in range(40 * depth)]
    source.send_nowait(*(dict(word=word) for word in words))
    counts = set()
    for pauses in ((0.0, 1.0), (0.8, 0.2), (0.2, 0.8), (0.0, 0.0)):
        source.pause(rng, pauses[0]), sink.pause(rng, pauses[1])
        for _ in range(8 * depth):
            await FallingEdge(dut.clk)
            within = source.sent - len(sink.queue)
            assert abs(int(dut.count.value) - within) <= 1  # the drivers see a transfer at the edge behind it
            counts.add(int(dut.count.value))
            assert int(dut.count.value) <= depth
    await sink.wait(len(words))
    await ClockCycles(dut.clk, 2)
    assert [entry["word"] for entry in sink.queue] == words and dut.count.value == 0
    assert {0, depth} <= counts
