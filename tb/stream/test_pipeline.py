"""pipeline: a beat that enters a cycle after it was taken comes out in order under its own label, at full rate."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.stream import fifo
from llama2_myhdl.rtl.stream.pipeline import pipeline, ports
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, uint
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from tb.bench import first_latency, traffic

BEFORE = 1  # cycles from a transfer to its entry
TURN = BEFORE + fifo.LATENCY + 1  # results beside those in the pipeline that one transfer a cycle needs
SHAPES = [(1, 1), (1, 1 + TURN), (6, 3), (6, 6 + TURN)]
FIELDS = dict(data=8, tag=5, last=1)


@hblock
def labelled(clk, rst, s, m, there, DELAY, DEPTH):
    """A pipeline that only delays `data`; `tag` and `last` are the label."""
    take, enter, room = bit(), bit(), bit()
    data, label, result = uint(8), Payload(tag=uint(5), last=bit()), Payload(data=uint(8))
    delay_ = delay(clk, data, result.data, CYCLES=DELAY)
    pipeline_ = pipeline(
        clk, rst, take=take, enter=enter, label=label, result=result, m=m, room=room, travelling=there, LATENCY=DELAY,
        DEPTH=DEPTH,
    )

    @always_comb
    def handshake():
        s.ready.next = room
        take.next = s.valid and room

    @always(clk.posedge)
    def travel():
        enter.next = take and not rst
        data.next = s.data
        label.tag.next = s.tag
        label.last.next = s.last

    return delay_, pipeline_, handshake, travel


@pytest.mark.parametrize("latency, depth", SHAPES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_pipeline(sim, latency, depth):
    streams = {name: Stream(data=uint(8), tag=uint(5), last=bit()) for name in ("s", "m")}
    arguments = dict(clk=bit(), rst=bit(), **streams, there=uint(latency), DELAY=latency, DEPTH=depth)
    run(labelled, arguments, __name__, sim, parameters=dict(latency=latency, depth=depth), tests=3)


def test_latency_is_checked():
    with pytest.raises(ValueError, match="LATENCY must be 1 or more, not 0"):
        pipeline(**ports(1, 1) | dict(LATENCY=0))


def beats(rng, count):
    return [{name: rng.randrange(1 << bits) for name, bits in FIELDS.items()} for _ in range(count)]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_traffic(dut):
    """Idle cycles against back-pressure, a reset in the midst: nothing is lost, doubled or under another's label."""
    rng = random.Random(21)
    source, sink = StreamSource(dut, "s", **FIELDS), StreamSink(dut, "m", **FIELDS)
    await start(dut)
    await source.send(*beats(rng, 3))
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 20)
    sink.queue.clear()
    levels = [(0, 0), (0.5, 0), (0, 0.5), (0.3, 0.7), (0.8, 0.8)]
    sent = await traffic(rng, source, sink, levels, lambda: beats(rng, 100))
    await ClockCycles(dut.clk, 20)
    assert list(sink.queue) == sent and len(sent) == 500


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def holds_as_many_as_credits(dut):
    """With the output stopped it begins DEPTH results."""
    source, sink = StreamSource(dut, "s", **FIELDS), StreamSink(dut, "m", **FIELDS)
    sink.pause(random.Random(0), 1.0)
    await start(dut)
    batch = beats(random.Random(1), 30)
    source.send_nowait(*batch)
    await ClockCycles(dut.clk, 60)
    assert source.sent == test_parameters()["depth"]
    sink.pause(None, 0)
    await sink.wait(30)
    assert list(sink.queue) == batch


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    """The first result takes the pipeline and the fifo; `travelling` is full at one a cycle, if there are credits."""
    latency, depth = test_parameters()["latency"], test_parameters()["depth"]
    source, sink = StreamSource(dut, "s", **FIELDS), StreamSink(dut, "m", **FIELDS)
    await start(dut)
    await ClockCycles(dut.clk, 2)
    source.send_nowait(*beats(random.Random(1), 200))
    assert await first_latency(dut, source, sink) == BEFORE + latency + fifo.LATENCY
    full = depth == latency + TURN
    assert (int(dut.there.value) == (1 << latency) - 1) == (full or latency == depth == 1 and bool(dut.there.value))
    await ClockCycles(dut.clk, 100)
    assert (sink.received == 101) == full
