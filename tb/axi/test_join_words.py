"""join_words: every beat is its words, the first one lowest; a word a cycle."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.axi.join_words import join_words, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from tb.bench import TRAFFIC

WORD = 8


@pytest.mark.parametrize("parts", [2, 8])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_join_words(sim, parts):
    run(join_words, ports(WORD, parts * WORD), __name__, sim, parameters=dict(parts=parts), tests=2)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_beats(dut):
    parts, rng = test_parameters()["parts"], random.Random(7)
    source, sink = StreamSource(dut, "s", data=WORD), StreamSink(dut, "m", data=parts * WORD)
    await start(dut)
    wanted = []

    for idle, wait in TRAFFIC:
        source.pause(rng, idle)
        sink.pause(rng, wait)
        words = [rng.getrandbits(WORD) for _ in range(20 * parts)]
        for k in range(0, len(words), parts):
            wanted.append(dict(data=int.from_bytes(bytes(words[k : k + parts]), "little")))
        await source.send(*[dict(data=word) for word in words])
    await sink.wait(len(wanted))
    await ClockCycles(dut.clk, 2 * parts)
    assert list(sink.queue) == wanted and sink.received == 20 * len(TRAFFIC)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_word_a_cycle(dut):
    parts = test_parameters()["parts"]
    source, sink = StreamSource(dut, "s", data=WORD), StreamSink(dut, "m", data=parts * WORD)
    await start(dut)
    source.send_nowait(*[dict(data=k) for k in range(250)])
    await sink.wait(1)
    before = sink.received
    await ClockCycles(dut.clk, 20 * parts)
    assert sink.received - before == 20
