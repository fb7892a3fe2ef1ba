"""split_words: the beats of each word, lowest first; of a last word only those that are told; a beat a cycle."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.axi.split_words import ports, split_words
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from tb.bench import TRAFFIC

BEAT = 8


@pytest.mark.parametrize("parts", [2, 8])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_split_words(sim, parts):
    run(split_words, ports(parts * BEAT, BEAT), __name__, sim, parameters=dict(parts=parts), tests=2)


def beats(word, parts):
    return [dict(data=word >> (k * BEAT) & 0xFF) for k in range(parts)]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_beats(dut):
    """With every number of beats in the last word."""
    parts, rng = test_parameters()["parts"], random.Random(8)
    source, sink = StreamSource(dut, "s", data=parts * BEAT, last=1), StreamSink(dut, "m", data=BEAT)
    dut.tail.value = 0
    await start(dut)
    compared = 0
    for tail in range(parts):
        dut.tail.value = tail
        for idle, wait in TRAFFIC:
            source.pause(rng, idle)
            sink.pause(rng, wait)
            words = [dict(data=rng.getrandbits(parts * BEAT), last=int(rng.random() < 0.3)) for _ in range(20)]
            wanted = [b for word in words for b in beats(word["data"], tail + 1 if word["last"] else parts)]
            await source.send(*words)
            await sink.wait(len(wanted))
            await ClockCycles(dut.clk, 2 * parts + 2)
            assert list(sink.queue) == wanted
            compared += len(wanted)
            sink.queue.clear()
    assert sink.received == compared > 40 * parts


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_beat_a_cycle(dut):
    parts = test_parameters()["parts"]
    source, sink = StreamSource(dut, "s", data=parts * BEAT, last=1), StreamSink(dut, "m", data=BEAT)
    dut.tail.value = 0
    await start(dut)
    source.send_nowait(*[dict(data=k, last=0) for k in range(60)])
    await sink.wait(1)
    before = sink.received
    await ClockCycles(dut.clk, 40)
    assert sink.received - before == 40
