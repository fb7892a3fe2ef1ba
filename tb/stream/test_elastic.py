"""An arithmetic pipeline in an elastic wrapper: the pattern of every stream block that computes."""
import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles
from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream import fifo
from llama2_myhdl.rtl.stream.elastic import elastic, ports
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from tb.bench import first_latency
from tb.myhdl_sim import simulate
from tb.pipeline import apply

LATENCY = 2


@hblock
def square(clk, x, y, SHIFT=4):
    """y = round half up of x * x / 2**SHIFT, LATENCY cycles later. x: signed n bits; y: signed 2n bits."""
    LIM = 1 << (2 * len(x) - 1)
    HALF = 1 << (SHIFT - 1)
    product = sint(2 * len(x))

    @always(clk.posedge)
    def multiply():
        product.next = x * x

    @always(clk.posedge)
    def narrow():
        t = intbv(0, min=-LIM, max=LIM)
        t[:] = product
        t[:] = t + HALF
        y.next = t >> SHIFT

    return multiply, narrow


@hblock
def square_stream(clk, rst, s, m, SHIFT=4):
    """`square` as a stream block: one result a cycle."""
    result = m.bare()
    pipeline = square(clk, s.data, result.data, SHIFT=SHIFT)
    handshake = elastic(clk, rst, s.valid, s.ready, result, m, LATENCY=LATENCY)
    return pipeline, handshake


@hblock
def delay_stream(clk, rst, s, m, DELAY=1, DEPTH=None):
    """A pipeline that only delays: shows what the wrapper does at any latency and depth."""
    bits = len(s.data)
    line = uint((DELAY + 1) * bits)
    result = m.bare()
    handshake = elastic(clk, rst, s.valid, s.ready, result, m, LATENCY=DELAY, DEPTH=DEPTH)

    @always(clk.posedge)
    def shift():
        line.next = concat(line[DELAY * bits:], s.data)

    @always_comb
    def last():
        result.data.next = line[DELAY * bits:(DELAY - 1) * bits]

    return handshake, shift, last


def golden(x):
    return (x * x + 8) >> 4


def values():
    rng = random.Random(5)
    return [-128, 127, 0, -1, 1] + [rng.randrange(-128, 128) for _ in range(300)]


def leaf_ports():
    return dict(clk=bit(), x=sint(8), y=sint(16))


def test_leaf_in_myhdl():
    found = simulate(square, leaf_ports(), [dict(x=x) for x in values()], ["y"], LATENCY)
    assert found == [dict(y=golden(x)) for x in values()]


@pytest.mark.parametrize("sim", SIMULATORS)
def test_leaf(sim):
    run(square, leaf_ports(), __name__, sim, testcase="leaf_matches_golden", tests=1)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_elastic(sim):
    arguments = dict(clk=bit(), rst=bit(), s=Stream(data=sint(8)), m=Stream(data=sint(16)))
    run(square_stream, arguments, __name__, sim, testcase=["random_traffic", "latency_and_throughput"], tests=2)


@pytest.mark.parametrize("delay, depth", [(1, None), (9, None), (1, 1), (9, 3)])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_any_latency_and_depth(sim, delay, depth):
    arguments = dict(clk=bit(), rst=bit(), s=Stream(data=uint(8)), m=Stream(data=uint(8)), DELAY=delay, DEPTH=depth)
    run(delay_stream, arguments, __name__, sim, testcase="keeps_order_and_rate", tests=1,
        parameters=dict(full_rate=depth is None))


@pytest.mark.parametrize("bad", [0, -1])
def test_latency_is_checked(bad):
    with pytest.raises(ValueError, match=f"LATENCY must be 1 or more, not {bad}"):
        elastic(**ports(Stream(data=uint(8)), bad))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def keeps_order_and_rate(dut):
    rng = random.Random(3)
    source, sink = StreamSource(dut, "s", data=8), StreamSink(dut, "m", data=8)
    await start(dut)
    sent = [dict(data=rng.randrange(256)) for _ in range(300)]
    for wait in (0, 0.7, 1, 0.2):
        sink.pause(rng, wait)
        source.send_nowait(*sent)
        await ClockCycles(dut.clk, 50)
        sink.pause(rng, min(wait, 0.5))
        await source.wait()
    await sink.wait(4 * 300)
    assert list(sink.queue) == 4 * sent
    before, source_before = sink.received, source.sent
    sink.pause(None, 0)
    source.send_nowait(*sent)
    await ClockCycles(dut.clk, 200)
    # a few cycles to fill; with fewer credits than the turn takes, the rate falls
    assert (sink.received - before >= 180) == test_parameters()["full_rate"]
    assert source.sent > source_before


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def leaf_matches_golden(dut):
    found = await apply(dut, [dict(x=x) for x in values()], dict(y=True), LATENCY)
    assert found == [dict(y=golden(x)) for x in values()]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_traffic(dut):
    rng = random.Random(3)
    source, sink = StreamSource(dut, "s", data=-8), StreamSink(dut, "m", data=-16)
    await start(dut)
    for idle, wait in [(0, 0), (0.5, 0.5), (0, 0.8), (0.8, 0)]:
        source.pause(rng, idle)
        sink.pause(rng, wait)
        await source.send(*[dict(data=x) for x in values()])
    await sink.wait(4 * len(values()))
    await ClockCycles(dut.clk, 20)
    assert [item["data"] for item in sink.queue] == 4 * [golden(x) for x in values()]
    assert sink.received == source.sent == 4 * 305


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    source, sink = StreamSource(dut, "s", data=-8), StreamSink(dut, "m", data=-16)
    await start(dut)
    await ClockCycles(dut.clk, 2)
    source.send_nowait(*[dict(data=x) for x in values()])
    assert await first_latency(dut, source, sink) == LATENCY + fifo.LATENCY
    await ClockCycles(dut.clk, 304)
    assert sink.received == 305
