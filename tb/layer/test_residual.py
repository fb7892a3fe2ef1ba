"""residual against golden.fixed.arith.saturate: loads, additions shown and silent, clipping, traffic, its checks."""

import random

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.golden.fixed.arith import Tally, saturate
from llama2_myhdl.rtl.layer.residual import LATENCY, PREFETCH, ports, residual
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.presets import preset
from tb.bench import TRAFFIC, Bench, moments

CFG = preset("default").build
LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1


SHORTEST = 4


@pytest.mark.parametrize("sim", SIMULATORS)
def test_residual(sim):
    testcase = ["extremes", "random_traffic", "both_offer", "latency_and_throughput", "scoreboard_can_fail"]
    run(residual, ports(CFG), __name__, sim, testcase=testcase, tests=5)


@pytest.mark.parametrize("fault", ["a vector is not as long as x", "an element is read before it is written"])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_checks_fire(sim, fault):
    with pytest.raises(AssertionError, match=f"residual: {fault}"):
        run(residual, ports(CFG), __name__, sim, testcase="breaks_the_rules", parameters=dict(fault=fault))


class ResidualBench(Bench):
    """A model of the stored vector."""

    def __init__(self, dut, rng=None):
        super().__init__(dut, rng)
        self.loads = StreamSource(dut, "s_x", data=-F_BITS, last=1)
        self.adds = StreamSource(dut, "s_add", data=-F_BITS, emit=1, last=1)
        self.sink = StreamSink(dut, "m", data=-F_BITS, last=1)
        self.ports = self.loads, self.adds, self.sink
        self.stored = np.zeros(CFG.max_dim, dtype=np.int64)
        self.stats, self.taken = Tally(), 0

    def load(self, x):
        self.loads.send_nowait(*[dict(data=v, last=int(k == len(x) - 1)) for k, v in enumerate(x)])
        self._expect(np.array(x), True)

    def add(self, x, emit=True):
        self.adds.send_nowait(*[dict(data=v, emit=int(emit), last=int(k == len(x) - 1)) for k, v in enumerate(x)])
        self._expect(saturate(self.stored[: len(x)] + np.array(x), F_BITS, self.stats), emit)

    def _expect(self, result, emit):
        self.stored[: len(result)] = result
        self.taken += len(result)
        if emit:
            self.wanted += [dict(data=v, last=int(k == len(result) - 1)) for k, v in enumerate(result.tolist())]

    async def settle(self):
        await self.adds.wait()
        await self.sink.wait(len(self.wanted))

    async def finish(self):
        """Compare everything; returns the number of elements."""
        await self.settle()
        compared = await self.compare(LATENCY + 5)
        assert self.loads.sent + self.adds.sent == self.taken
        assert self.pulses == self.stats.count
        return compared


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def extremes(dut):
    """Sums at and over both limits, zero vectors, the shortest and the longest."""
    bench = ResidualBench(dut)
    await bench.start()
    lengths = (SHORTEST, SHORTEST + 1, 8, CFG.max_dim - 1, CFG.max_dim)
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
    """A load, then additions back to back, shown or not: each must see the sums of the one before, however short."""
    rng = random.Random(3)
    bench = ResidualBench(dut, rng)
    await bench.start()
    for idle, wait in TRAFFIC:
        bench.pause(idle, idle, wait)
        for length in [SHORTEST, SHORTEST + 1, CFG.max_dim] + [rng.randint(SHORTEST, CFG.max_dim) for _ in range(8)]:
            span = rng.choice([0, 2, 8, 24])
            bench.load([rng.randint(LOW, HIGH) >> span for _ in range(length)])
            await bench.settle()
            for emit in (True, False, rng.random() < 0.5, False, True):
                bench.add([rng.randint(LOW, HIGH) >> span for _ in range(length)], emit)
            await bench.settle()
    assert await bench.finish() > 4 * 3 * (11 + CFG.max_dim)
    assert bench.taken > bench.sink.received + 4 * 2 * CFG.max_dim
    assert bench.pulses > 50


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def both_offer(dut):
    """A load that is offered together with an addition goes first; a vector is never interrupted."""
    bench = ResidualBench(dut)
    await bench.start()
    bench.load([3] * 40)
    await bench.settle()
    await ClockCycles(dut.clk, LATENCY + 5)
    bench.load([10, 20, 30, 40])
    bench.add([1, 1, 1, 1])
    await bench.settle()
    bench.load([7] * 40)
    await bench.settle()
    # an addition is under way when the load comes
    bench.add(list(range(40)))
    await ClockCycles(dut.clk, 10)
    bench.load([5] * 40)
    assert await bench.finish() == 40 + 8 + 40 + 80


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    """One element a cycle without a gap between vectors, LATENCY cycles; PREFETCH + 1 from a new x to the first sum."""
    bench = ResidualBench(dut)
    await bench.start()
    await ClockCycles(dut.clk, 3)
    bench.load(list(range(CFG.max_dim)))
    bench.add([7] * CFG.max_dim)
    bench.add([8] * CFG.max_dim, emit=False)
    bench.add([9] * CFG.max_dim)
    seen = await moments(dut, "m", 3 * CFG.max_dim, moved=("s_x", "s_add"), offered=("m",))
    loaded, entered, left = seen["s_x"], seen["s_add"], seen["m"]
    assert loaded == list(range(loaded[0], loaded[0] + CFG.max_dim))
    first = loaded[-1] + PREFETCH + 1
    assert entered == list(range(first, first + 3 * CFG.max_dim))
    shown = loaded + entered[: CFG.max_dim] + entered[2 * CFG.max_dim :]
    assert left == [cycle + LATENCY for cycle in shown]
    assert await bench.finish() == 3 * CFG.max_dim


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """A sum that the model does not know of is seen."""
    bench = ResidualBench(dut)
    await bench.start()
    bench.load([1, 2, 3, 4])
    await bench.settle()
    bench.stored[0] = 5
    bench.add([1, 1, 1, 1])
    with pytest.raises(AssertionError):
        await bench.finish()
    assert [item["data"] for item in bench.sink.queue] == [1, 2, 3, 4, 2, 3, 4, 5]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def breaks_the_rules(dut):
    """A vector to add that ends early; or an x that is too short. A check must end the simulation."""
    bench = ResidualBench(dut)
    await bench.start()
    length = 3 if "written" in test_parameters()["fault"] else 8
    bench.load([1] * length)
    await bench.settle()
    for _ in range(2):
        bench.add([1] * (length if length == 3 else 5))
    await ClockCycles(dut.clk, 50)
