"""reader: a store's words in the order of their addresses; a slow store, or few words ahead, cost stalls only."""

import random
from collections import deque

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.memory.reader import ports, reader
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from tb.bench import first_latency

ADDRESS, WORD = 6, 12
# a RAM; one with a register behind it; a store far away, with as many words ahead as that takes, and with few
STORES = [(1, None), (2, 8), (20, None), (20, 4)]


@pytest.mark.parametrize("latency, depth", STORES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_reader(sim, latency, depth):
    parameters = dict(latency=latency, depth=depth)
    run(reader, ports(ADDRESS, WORD, latency, depth), __name__, sim, parameters=parameters, tests=3)


async def store(dut, words):
    """Answers every address LATENCY cycles later, as a memory does that no handshake holds."""
    late = deque([None] * (test_parameters()["latency"] - 1))
    while True:
        await RisingEdge(dut.clk)
        text = str(dut.address.value)
        late.append(words[int(text, 2)] if set(text) <= {"0", "1"} else None)
        found = late.popleft()
        dut.word.value = random.getrandbits(WORD) if found is None else found


async def begin(dut):
    """The words of the store, and the drivers of both streams."""
    rng = random.Random(3)
    words = [rng.randrange(1 << WORD) for _ in range(1 << ADDRESS)]
    source, sink = StreamSource(dut, "s", address=ADDRESS), StreamSink(dut, "m", data=WORD)
    dut.word.value = 0
    await start(dut)
    cocotb.start_soon(store(dut, words))
    return rng, words, source, sink


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_traffic(dut):
    """Every address, with pauses on both sides."""
    rng, words, source, sink = await begin(dut)
    asked = []
    for idle, wait in [(0, 0), (0.5, 0), (0, 0.6), (0.7, 0.7)]:
        source.pause(rng, idle)
        sink.pause(rng, wait)
        batch = rng.sample(range(1 << ADDRESS), 1 << ADDRESS)
        asked += batch
        await source.send(*[dict(address=address) for address in batch])
    await sink.wait(len(asked))
    await ClockCycles(dut.clk, 40)
    assert [beat["data"] for beat in sink.queue] == [words[address] for address in asked]
    assert sink.received == 4 << ADDRESS


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    """The first word after LATENCY + 1 cycles; then one a cycle, or, with few credits, as many as return in time."""
    latency, depth = test_parameters()["latency"], test_parameters()["depth"]
    _, _, source, sink = await begin(dut)
    await ClockCycles(dut.clk, 2)
    source.send_nowait(*[dict(address=k % 64) for k in range(400)])
    assert await first_latency(dut, source, sink) == latency + 1
    before = sink.received
    turn = latency + 2  # cycles from an address until its credit is back
    await ClockCycles(dut.clk, 10 * turn)
    assert sink.received - before == 10 * min(turn, depth or turn)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def comparison_can_fail(dut):
    """Another address than was asked for is seen."""
    _, words, source, sink = await begin(dut)
    await source.send(dict(address=1))
    await sink.wait(1)
    assert sink.queue[0]["data"] == words[1] != words[2]
