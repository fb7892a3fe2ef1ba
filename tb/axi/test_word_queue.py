"""word_queue: words in order, DEPTH of them and those behind it; a word a cycle; one too many is seen."""

import random
from collections import deque

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.axi.word_queue import ports, word_queue
from llama2_myhdl.rtl.stream.stream import Payload, bit, uint
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink

WIDTH = 16


def _arguments(depth):
    return ports(Payload(data=uint(WIDTH), last=bit()), depth)


# one RAM; several banks, which answer later
@pytest.mark.parametrize("depth", [8, 600])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_word_queue(sim, depth):
    given, tests = dict(depth=depth), ["traffic", "rate"]
    run(word_queue, _arguments(depth), __name__, sim, parameters=given, testcase=tests, tests=2)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_a_word_too_many(sim):
    with pytest.raises(AssertionError, match="a word of the bus has no place"):
        run(word_queue, _arguments(8), __name__, sim, testcase="too_many")


async def begin(dut):
    dut.push.value = 0
    sink = StreamSink(dut, "m", data=WIDTH, last=1)
    await start(dut)
    return random.Random(9), sink


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def traffic(dut):
    """Filled to the last place, emptied, and both at random; places are told as they become free."""
    rng, sink = await begin(dut)
    depth = test_parameters()["depth"]
    free, most, sent = depth, 0, deque()
    for cycle in range(6 * depth + 600):
        phase = cycle * 3 // (6 * depth + 600)
        sink.pause(rng, (1, 0.3, 0)[phase])
        push = free > 0 and rng.random() < (1, 0.6, 0.3)[phase]
        dut.push.value = int(push)
        if push:
            word = dict(data=rng.getrandbits(WIDTH), last=rng.randrange(2))
            dut.word_data.value, dut.word_last.value = word["data"], word["last"]
            sent.append(word)
            free -= 1
        await RisingEdge(dut.clk)
        free += dut.left.value == 1
        most = max(most, depth - free)
    dut.push.value = 0
    sink.pause(rng, 0)
    await sink.wait(len(sent))
    assert list(sink.queue) == list(sent) and most == depth


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def rate(dut):
    """A word a cycle, in and out."""
    rng, sink = await begin(dut)
    dut.push.value = 1
    for k in range(200):
        dut.word_data.value, dut.word_last.value = k, 0
        await RisingEdge(dut.clk)
        if k == 100:
            before = sink.received
        if k == 180:
            assert sink.received - before == 80


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def too_many(dut):
    await begin(dut)
    dut.m_ready.value = 0
    dut.push.value = 1
    await ClockCycles(dut.clk, 40)
