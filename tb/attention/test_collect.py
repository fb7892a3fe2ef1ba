"""collect: the order of the query heads out of every shape of units and lanes, `last`, back-pressure."""
import random
from collections import deque

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.attention.collect import collect, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink
from llama2_myhdl.spec.formats import F_BITS
from tb.bench import TRAFFIC, Bench

SHAPES = ((1, 1), (2, 1), (1, 2), (2, 2), (4, 2), (3, 2))  # units, lanes of a unit
MODELS = ((1, 1), (2, 3), (4, 2), (3, 5), (7, 1), (8, 4), (5, 1))  # key/value heads, query heads of each
COUNT_BITS, MOST_PAIRS = 4, 4


@pytest.mark.parametrize("units, queries", SHAPES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_collect(sim, units, queries):
    parameters = dict(units=units, queries=queries)
    run(collect, ports(units, queries, COUNT_BITS), __name__, sim, parameters=parameters, tests=4)


class CollectBench(Bench):
    """Drives the pipelines' streams from queues, pausing as `idle` says, and knows the order of what comes out."""

    def __init__(self, dut):
        super().__init__(dut, random.Random(5))
        shape = test_parameters()
        self.units, self.queries = shape["units"], shape["queries"]
        self.queues = [deque() for _ in range(self.units * self.queries)]
        self.offered = [False] * len(self.queues)
        self.idle, self.cycle, self.heads = 0, 0, 0
        self.entered, self.ends = [], []
        self.sink = StreamSink(dut, "m", data=-F_BITS, second=-F_BITS, last=1)

    async def start(self):
        self.dut.kv_mul.value, self.dut.n_kv_heads.value = 0, 0
        for k in range(len(self.queues)):
            self.offer(k, (0, 0, 0), False)
        await super().start()
        cocotb.start_soon(self.drive())

    def token(self, kv_heads, kv_mul):
        """Queue the heads of a token, random pairs, each where it is computed."""
        self.dut.n_kv_heads.value, self.dut.kv_mul.value = kv_heads, kv_mul
        for i in range(kv_heads * kv_mul):
            pipeline = i // kv_mul % self.units * self.queries + i % kv_mul % self.queries
            count = self.rng.randint(1, MOST_PAIRS)
            for k in range(count):
                data, second = [self.rng.randrange(-(1 << F_BITS - 1), 1 << F_BITS - 1) for _ in range(2)]
                end = k == count - 1
                self.queues[pipeline].append((data, second, end))
                self.wanted.append(dict(data=data, second=second, last=int(end and i == kv_heads * kv_mul - 1)))
            self.heads += 1

    def offer(self, k, front, valid):
        for name, value in zip(("data", "second", "last", "valid"), (*front, valid)):
            getattr(self.dut, f"s_{k}_{name}").value = int(value)

    async def drive(self):
        pins = [[getattr(self.dut, f"s_{k}_{name}") for name in ("valid", "ready")] for k in range(len(self.queues))]
        while True:
            for k, queue in enumerate(self.queues):
                self.offered[k] = bool(queue) and (self.offered[k] or self.rng.random() >= self.idle)
                self.offer(k, queue[0] if self.offered[k] else (0, 0, 0), self.offered[k])
            await RisingEdge(self.dut.clk)
            self.cycle += 1
            if self.dut.rst.value:
                for queue in self.queues:
                    queue.clear()
                continue
            moved = [bool(valid.value and ready.value) for valid, ready in pins]
            assert sum(moved) == int(self.dut.m_valid.value and self.dut.m_ready.value)
            for k, queue in enumerate(self.queues):
                if moved[k]:
                    self.entered.append(self.cycle)
                    if queue.popleft()[2]:
                        self.ends.append(self.cycle)
                    self.offered[k] = False

    async def finish(self):
        """Wait for all pairs and compare them; returns their number."""
        compared = await self.compare(3)
        assert not any(self.queues)
        assert len(self.ends) == self.heads
        return compared


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def order(dut):
    """Every model, also kv_mul that is no multiple of the lanes, with and without pauses on both sides."""
    bench = CollectBench(dut)
    await bench.start()
    for bench.idle, wait in TRAFFIC:
        bench.sink.pause(bench.rng, wait)
        for kv_heads, kv_mul in MODELS:
            bench.token(kv_heads, kv_mul)
            await bench.finish()
    assert await bench.finish() >= bench.heads == len(TRAFFIC) * sum(a * b for a, b in MODELS)
    assert sum(pair["last"] for pair in bench.sink.queue) == len(TRAFFIC) * len(MODELS)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def throughput(dut):
    """A pair a cycle, over the heads and tokens."""
    bench = CollectBench(dut)
    await bench.start()
    await ClockCycles(dut.clk, 3)
    for _ in range(3):
        bench.token(4, 3)
    count = await bench.finish()
    assert bench.entered == list(range(bench.entered[0], bench.entered[0] + count))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset(dut):
    """In the middle of a token: the next one begins with head 0."""
    bench = CollectBench(dut)
    await bench.start()
    bench.token(3, 3)
    await bench.sink.wait(MOST_PAIRS * 4)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 1)
    for collected in (bench.sink.queue, bench.wanted, bench.ends):
        collected.clear()
    bench.heads = 0
    bench.token(3, 3)
    assert await bench.finish() > bench.heads


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """Two pairs in the wrong order are seen."""
    bench = CollectBench(dut)
    await bench.start()
    bench.token(2, 2)
    bench.wanted[0], bench.wanted[1] = bench.wanted[1], bench.wanted[0]
    with pytest.raises(AssertionError):
        await bench.finish()
    assert bench.sink.received == len(bench.wanted)
