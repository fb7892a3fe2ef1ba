"""turns: every burst once, in the order of its region; who waits is passed over once at most by each of the others."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.axi.turns import ports, turns
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.config import clog2

WORD = 37


@pytest.mark.parametrize("sim, count", [(SIMULATORS[0], 1), (SIMULATORS[0], 2), (SIMULATORS[-1], 4)])
def test_turns(sim, count):
    run(turns, ports(count, WORD), __name__, sim, parameters=dict(count=count), tests=2)


async def begin(dut):
    count = test_parameters()["count"]
    sources = [StreamSource(dut, f"s_{k}", word=WORD, len=8) for k in range(count)]
    sink = StreamSink(dut, "m", word=WORD, len=8, id=clog2(count))
    dut.room.value = 0
    await start(dut)
    return count, random.Random(count), sources, sink


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_pass(dut):
    """Random bursts at random times; `room` closes and opens, and one is taken only while it is open."""
    count, rng, sources, sink = await begin(dut)
    sent = [[dict(word=rng.getrandbits(WORD), len=rng.getrandbits(8)) for _ in range(60)] for _ in range(count)]
    for source, entries in zip(sources, sent):
        source.pause(rng, rng.choice((0, 0.3, 0.8)))
        source.send_nowait(*entries)
    sink.pause(rng, 0.3)
    takes = 0
    while sink.received < 60 * count:
        room = rng.random() < 0.6
        dut.room.value = int(room)
        await RisingEdge(dut.clk)
        if dut.take.value == 1:
            takes += 1
            assert dut.room.value == 1
    assert takes == 60 * count
    for k, entries in enumerate(sent):
        assert [dict(word=e["word"], len=e["len"]) for e in sink.queue if e["id"] == k] == entries


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def in_turn(dut):
    """Where all wait, one after the other, also when there is room now and then; a lone one loses a cycle for each of
    the others."""
    count, rng, sources, sink = await begin(dut)
    for k, source in enumerate(sources):
        source.send_nowait(*[dict(word=k, len=n) for n in range(10)])
    await ClockCycles(dut.clk, 5)  # all offer
    while sink.received < 10 * count:
        dut.room.value = rng.randrange(2)
        await RisingEdge(dut.clk)
    dut.room.value = 1
    order = [entry["id"] for entry in sink.queue]
    assert order == [(order[0] + k) % count for k in range(10 * count)]
    sources[0].send_nowait(*[dict(word=0, len=n) for n in range(100)])
    await sink.wait(10 * count + 1)
    before = sink.received
    await ClockCycles(dut.clk, 20 * count)
    assert sink.received - before == 20
