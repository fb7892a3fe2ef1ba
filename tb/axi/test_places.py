"""places: no burst passes without a place for each of its beats, and none waits that has them."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.axi.places import places, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource

WORD, DEPTH = 12, 21  # of bursts of 1 to 16 beats


@pytest.mark.parametrize("sim", SIMULATORS)
def test_places(sim):
    run(places, ports(WORD, DEPTH), __name__, sim, tests=2)


async def begin(dut):
    source, sink = StreamSource(dut, "s", word=WORD, len=8), StreamSink(dut, "m", word=WORD, len=8)
    dut.give.value = 0
    await start(dut)
    return random.Random(2), source, sink


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def never_too_many(dut):
    """Random bursts, pauses and places that come back: at most DEPTH are taken, and at times all of them."""
    rng, source, sink = await begin(dut)
    sent = [dict(word=rng.getrandbits(WORD), len=rng.randrange(16)) for _ in range(200)]
    source.send_nowait(*sent)
    source.pause(rng, 0.2)
    sink.pause(rng, 0.3)
    seen = used = most = 0
    while seen < len(sent) or used:
        give = used > 0 and rng.random() < 0.7
        dut.give.value = int(give)
        used -= give
        await RisingEdge(dut.clk)
        while len(sink.queue) > seen:
            used += sink.queue[seen]["len"] + 1
            seen += 1
        most = max(most, used)
        assert used <= DEPTH
    assert list(sink.queue) == sent
    assert most > DEPTH - 4


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def exactly_enough(dut):
    """A burst of DEPTH beats passes at once; behind it one of n beats with the n-th place that comes back."""
    _, source, sink = await begin(dut)
    source.send_nowait(dict(word=1, len=DEPTH - 1))
    await sink.wait(1)
    for beats in (1, 2, 16):
        source.send_nowait(dict(word=beats, len=beats - 1))
        before = sink.received
        await ClockCycles(dut.clk, 20)
        for given in range(beats):
            assert sink.received == before, f"it passed with {given} of {beats} places"
            dut.give.value = 1
            await ClockCycles(dut.clk, 1)
            dut.give.value = 0
            await ClockCycles(dut.clk, 5)
        assert sink.received == before + 1
