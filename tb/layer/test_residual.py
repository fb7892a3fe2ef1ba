"""residual against golden.fixed.arith.saturate: loads and additions, clipping, order of the sources, traffic."""

import random

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from golden.fixed.arith import F_BITS, Saturations, saturate
from rtl.config import preset
from rtl.layer.residual import LATENCY, PIPELINE, residual
from rtl.stream.stream import Stream, bit, sint
from tb.clock import start
from tb.runner import SIMULATORS, run
from tb.stream.drivers import StreamSink, StreamSource

CFG = preset("default").build
LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1


def vector():
    return Stream(data=sint(F_BITS), last=bit())


@pytest.mark.parametrize("sim", SIMULATORS)
def test_residual(sim):
    ports = dict(clk=bit(), rst=bit(), s_x=vector(), s_add=vector(), m=vector(), saturated=bit(), CFG=CFG)
    run(residual, ports, __name__, sim, tests=5)


class Bench:
    """Drivers of all ports, a model of the stored vector, and a count of the `saturated` pulses."""

    def __init__(self, dut):
        self.dut = dut
        self.loads = StreamSource(dut, "s_x", data=-F_BITS, last=1)
        self.adds = StreamSource(dut, "s_add", data=-F_BITS, last=1)
        self.sink = StreamSink(dut, "m", data=-F_BITS, last=1)
        self.stored, self.wanted = np.zeros(CFG.max_dim, dtype=np.int64), []
        self.stats, self.pulses = Saturations(), 0

    async def start(self):
        await start(self.dut)
        cocotb.start_soon(self.count_pulses())

    async def count_pulses(self):
        while True:
            await RisingEdge(self.dut.clk)
            self.pulses += int(self.dut.saturated.value)

    def load(self, x):
        self._send(self.loads, x, np.array(x))

    def add(self, x):
        self._send(self.adds, x, saturate(self.stored[: len(x)] + np.array(x), F_BITS, self.stats))

    def _send(self, source, x, result):
        source.send_nowait(*[dict(data=v, last=int(k == len(x) - 1)) for k, v in enumerate(x)])
        self.stored[: len(x)] = result
        self.wanted += [dict(data=v, last=int(k == len(x) - 1)) for k, v in enumerate(result.tolist())]

    async def settle(self):
        await self.sink.wait(len(self.wanted))

    async def finish(self):
        """Compare everything; returns the number of elements."""
        await self.settle()
        await ClockCycles(self.dut.clk, 2 * LATENCY)
        assert list(self.sink.queue) == self.wanted
        assert self.loads.sent + self.adds.sent == self.sink.received == len(self.wanted)
        assert self.pulses == self.stats.count
        return self.sink.received


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def extremes(dut):
    """Sums at and over both limits, zero vectors, single elements, lengths around the pipeline's."""
    bench = Bench(dut)
    await bench.start()
    lengths = (1, 2, 3, 4, 5, 6, CFG.max_dim - 1, CFG.max_dim)
    for length in lengths:
        for x in (LOW, -1, 0, 1, HIGH):
            for y in (LOW, -1, 0, 1, HIGH):
                bench.load([x] * length)
                await bench.settle()
                bench.add([y] * length)
                await bench.settle()
    assert await bench.finish() == 25 * 2 * sum(lengths)
    # of the 25 sums four leave the range: LOW + LOW, LOW - 1 (twice), HIGH + HIGH, HIGH + 1 (twice)
    assert bench.pulses == 6 * sum(lengths)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def random_traffic(dut):
    """A load, then additions back to back: each must see the sums of the one before, however short."""
    rng = random.Random(3)
    bench = Bench(dut)
    await bench.start()
    for idle, wait in [(0, 0), (0.5, 0.5), (0, 0.9), (0.9, 0)]:
        for port in (bench.loads, bench.adds):
            port.pause(rng, idle)
        bench.sink.pause(rng, wait)
        for length in [1, 2, 3, 5, CFG.max_dim] + [rng.randint(1, CFG.max_dim) for _ in range(5)]:
            span = rng.choice([0, 2, 8, 24])
            bench.load([rng.randint(LOW, HIGH) >> span for _ in range(length)])
            await bench.settle()
            for _ in range(4):
                bench.add([rng.randint(LOW, HIGH) >> span for _ in range(length)])
            await bench.settle()
    assert await bench.finish() > 4 * 5 * (11 + CFG.max_dim)
    assert bench.pulses > 50


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def both_offer(dut):
    """A load that is offered together with an addition goes first; a vector is never interrupted."""
    bench = Bench(dut)
    await bench.start()
    bench.load([3] * 40)
    await bench.settle()
    await ClockCycles(dut.clk, 2 * LATENCY)
    bench.load([10, 20, 30])
    bench.add([1, 1, 1])
    await bench.settle()
    await ClockCycles(dut.clk, 2 * LATENCY)
    # an addition is under way when the load comes
    bench.add(list(range(40)))
    await ClockCycles(dut.clk, 10)
    bench.load([5] * 40)
    assert await bench.finish() == 40 + 6 + 80


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    """One element a cycle, LATENCY cycles, PIPELINE + 1 idle cycles between vectors."""
    bench = Bench(dut)
    await bench.start()
    bench.load(list(range(CFG.max_dim)))
    await bench.settle()
    await ClockCycles(dut.clk, 2 * LATENCY)
    bench.add([7] * CFG.max_dim)
    bench.add([9] * CFG.max_dim)
    entered, left, cycle = [], [], 0
    while len(left) < 2 * CFG.max_dim:
        await RisingEdge(dut.clk)
        cycle += 1
        if dut.s_add_valid.value and dut.s_add_ready.value:
            entered.append(cycle)
        if dut.m_valid.value:
            left.append(cycle)
    second = entered[0] + CFG.max_dim + PIPELINE + 1
    assert entered == [first + k for first in (entered[0], second) for k in range(CFG.max_dim)]
    assert left == [cycle + LATENCY for cycle in entered]
    assert await bench.finish() == 3 * CFG.max_dim


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """A sum that the model does not know of is seen."""
    bench = Bench(dut)
    await bench.start()
    bench.load([1, 2])
    await bench.settle()
    bench.stored[0] = 5
    bench.add([1, 1])
    with pytest.raises(AssertionError):
        await bench.finish()
    assert [item["data"] for item in bench.sink.queue] == [1, 2, 2, 3]
