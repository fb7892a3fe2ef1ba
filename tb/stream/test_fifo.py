"""Stream blocks that hold data: all that goes in comes out, in order, at full rate when nothing pauses."""
import random
from functools import partial

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from rtl.stream import fifo as fifo_module
from rtl.stream.fifo import fifo
from rtl.stream.stream import Stream, bit, sint, uint
from tb.clock import start
from tb.runner import SIMULATORS, run, test_parameters
from tb.stream.drivers import StreamSink, StreamSource

FIELDS = dict(data=-13, last=1, tag=5)


def ports():
    """Arguments of a block with the usual ports; the payload mixes signed, bool and unsigned fields."""
    stream = Stream(data=sint(13), last=bit(), tag=uint(5))
    return dict(clk=bit(), rst=bit(), s=stream, m=stream.clone())


@pytest.mark.parametrize("depth", [1, 2, 3, 8])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_fifo(sim, depth):
    run(fifo, dict(ports(), DEPTH=depth), __name__, sim, tests=3, parameters=dict(depth=depth))


def payloads(rng, count):
    pick = partial(rng.choice, [-4096, -1, 0, 1, 4095])
    return [dict(data=pick() if rng.random() < 0.5 else rng.randrange(-4096, 4096), last=rng.randrange(2),
                 tag=rng.randrange(32)) for _ in range(count)]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_traffic(dut):
    """Random idle cycles against random back-pressure: nothing is lost, doubled or reordered."""
    rng = random.Random(11)
    source, sink = StreamSource(dut, "s", **FIELDS), StreamSink(dut, "m", **FIELDS)
    await start(dut)
    sent = []
    for idle, wait in [(0, 0), (0.5, 0), (0, 0.5), (0.3, 0.7), (0.7, 0.3), (0.9, 0.9)]:
        source.pause(rng, idle)
        sink.pause(rng, wait)
        batch = payloads(rng, 100)
        sent += batch
        await source.send(*batch)
    await sink.wait(len(sent))
    await ClockCycles(dut.clk, 20)
    assert list(sink.queue) == sent
    assert source.sent == sink.received == len(sent) == 600


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def fills_and_stops(dut):
    """With the output stopped, DEPTH + 1 entries fit and ready goes low."""
    source, sink = StreamSource(dut, "s", **FIELDS), StreamSink(dut, "m", **FIELDS)
    sink.pause(random.Random(0), 1.0)
    await start(dut)
    source.send_nowait(*payloads(random.Random(1), 20))
    await ClockCycles(dut.clk, 40)
    assert source.sent == test_parameters()["depth"] + 1
    sink.pause(None, 0)
    await sink.wait(20)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    """The first entry takes LATENCY cycles, the others follow one a cycle."""
    source, sink = StreamSource(dut, "s", **FIELDS), StreamSink(dut, "m", **FIELDS)
    await start(dut)
    await ClockCycles(dut.clk, 2)
    source.send_nowait(*payloads(random.Random(1), 50))
    while not source.sent:
        await ClockCycles(dut.clk, 1)
    cycles = 0
    while not sink.received:
        await ClockCycles(dut.clk, 1)
        cycles += 1
    assert cycles == fifo_module.LATENCY
    await ClockCycles(dut.clk, 49)
    if test_parameters()["depth"] >= 2:
        assert sink.received == 50
