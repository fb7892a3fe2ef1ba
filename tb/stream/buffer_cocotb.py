"""What every block that holds stream entries must do; shared by the tests of fifo, skid and register.

Parameters: capacity (entries it holds when its output stands), latency (cycles from a transfer in to valid out),
rate (transfers in 100 cycles without pauses), registered (no path within a cycle from m_ready to s_ready).
"""
import random

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge, Timer

from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from tb.bench import first_latency, traffic

FIELDS = dict(data=-13, last=1, tag=5)
TESTS = 6


def beats():
    """A stream whose payload mixes signed, bool and unsigned fields: FIELDS."""
    return Stream(data=sint(13), last=bit(), tag=uint(5))


def payloads(rng, count):
    extremes = [-4096, -1, 0, 1, 4095]
    return [dict(data=rng.choice(extremes) if rng.random() < 0.5 else rng.randrange(-4096, 4096),
                 last=rng.randrange(2), tag=rng.randrange(32)) for _ in range(count)]


def ends(dut):
    return StreamSource(dut, "s", **FIELDS), StreamSink(dut, "m", **FIELDS)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_traffic(dut):
    """Random idle cycles against random back-pressure: nothing is lost, doubled or reordered."""
    rng = random.Random(11)
    source, sink = ends(dut)
    await start(dut)
    levels = [(0, 0), (0.5, 0), (0, 0.5), (0.3, 0.7), (0.7, 0.3), (0.9, 0.9)]
    sent = await traffic(rng, source, sink, levels, lambda: payloads(rng, 100))
    await ClockCycles(dut.clk, 20)
    assert list(sink.queue) == sent
    assert source.sent == sink.received == len(sent) == 600


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def fills_and_stops(dut):
    """With the output stopped it takes as many entries as it holds, and gives them all later."""
    source, sink = ends(dut)
    sink.pause(random.Random(0), 1.0)
    await start(dut)
    batch = payloads(random.Random(1), 20)
    source.send_nowait(*batch)
    await ClockCycles(dut.clk, 40)
    assert source.sent == test_parameters()["capacity"]
    sink.pause(None, 0)
    await sink.wait(20)
    assert list(sink.queue) == batch


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    """The first entry takes `latency` cycles; without pauses `rate` entries pass in 100 cycles."""
    source, sink = ends(dut)
    await start(dut)
    await ClockCycles(dut.clk, 2)
    source.send_nowait(*payloads(random.Random(1), 200))
    assert await first_latency(dut, source, sink) == test_parameters()["latency"]
    await ClockCycles(dut.clk, 100)
    assert sink.received == 1 + test_parameters()["rate"]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_empties(dut):
    """A reset in the middle drops what is held, and the next entries pass right."""
    source, sink = ends(dut)
    sink.pause(random.Random(0), 1.0)
    await start(dut)
    source.send_nowait(*payloads(random.Random(1), test_parameters()["capacity"]))
    await ClockCycles(dut.clk, 20)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 2)
    assert dut.m_valid.value == 0
    sink.pause(None, 0)
    batch = payloads(random.Random(2), 30)
    await source.send(*batch)
    await sink.wait(30)
    assert list(sink.queue) == batch


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def offered_in_reset(dut):
    """What is offered during a reset, and held, passes once when it is over. The output stands as long."""
    sink, beat = StreamSink(dut, "m", **FIELDS), dict(data=-77, last=1, tag=9)
    sink.pause(random.Random(0), 1.0)
    dut.s_valid.value = 0
    await start(dut)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)  # until then it may be ready and take what is offered into a register
    for name, value in beat.items():
        getattr(dut, f"s_{name}").value = value
    dut.s_valid.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await RisingEdge(dut.clk)
    while not dut.s_ready.value:
        await RisingEdge(dut.clk)
    dut.s_valid.value = 0
    await ClockCycles(dut.clk, 5)
    sink.pause(None, 0)
    await ClockCycles(dut.clk, 20)
    assert list(sink.queue) == [beat]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def paths_within_a_cycle(dut):
    """s_ready does not follow s_valid, nor m_ready where that path is cut; m_valid does not follow m_ready."""
    source, sink = ends(dut)
    sink.pause(random.Random(0), 1.0)
    await start(dut)
    source.send_nowait(*payloads(random.Random(1), 20))
    await ClockCycles(dut.clk, 30)
    assert dut.m_valid.value == 1 and dut.s_ready.value == 0
    await Timer(2, unit="ns")
    followed = []
    for m_ready, s_valid in [(1, 1), (1, 0), (0, 0), (0, 1)]:
        dut.m_ready.value = m_ready
        dut.s_valid.value = s_valid
        await Timer(1, unit="ns")
        assert dut.m_valid.value == 1
        followed.append(int(dut.s_ready.value))
    assert followed == ([0, 0, 0, 0] if test_parameters()["registered"] else [1, 1, 0, 0])
