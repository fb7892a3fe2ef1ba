"""swiglu against golden.fixed.swiglu: vectors of pairs in blocks, with idle and back-pressure."""
import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

import llama2_myhdl.golden.fixed.swiglu as golden
from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.rtl.ffn.swiglu import LATENCY, ports, swiglu
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.formats import F_BITS
from tb.bench import Bench, moments

LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1
EXTREMES = [LOW, LOW + 1, -1, 0, 1, 1 << 20, -(1 << 20), HIGH]


@pytest.mark.parametrize("block", [8, 1, 64])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_swiglu(sim, block):
    run(swiglu, ports(F_BITS, block), __name__, sim, parameters=dict(block=block), tests=4)


def test_block_is_checked():
    with pytest.raises(ValueError, match="BLOCK must be 1 or more, is 0"):
        swiglu(**ports(F_BITS, 1) | dict(BLOCK=0))


class SwigluBench(Bench):
    """The golden results of what was sent."""

    def __init__(self, dut, rng):
        super().__init__(dut, rng)
        self.block, self.stats = test_parameters()["block"], Tally()
        self.source = StreamSource(dut, "s", data=-F_BITS, last=1)
        self.sink = StreamSink(dut, "m", data=-F_BITS, last=1)
        self.ports = self.source, self.sink

    def element(self):
        if self.rng.random() < 0.1:
            return self.rng.choice(EXTREMES)
        return self.rng.randrange(LOW, HIGH + 1) >> self.rng.randrange(20)

    def vector(self, h1, h3):
        """Payloads of one vector; its results join `wanted`. `last` of h1 is noise."""
        z = golden.swiglu(h1, h3, self.stats).tolist()
        lasts = [0] * (len(z) - 1) + [1]
        self.wanted += [dict(data=value, last=int(last or k % self.block == self.block - 1))
                        for k, (value, last) in enumerate(zip(z, lasts))]
        payloads = []
        for a, b, last in zip(h1, h3, lasts):
            payloads += [dict(data=a, last=self.rng.randrange(2)), dict(data=b, last=last)]
        return payloads

    def random_vector(self, length):
        return self.vector([self.element() for _ in range(length)], [self.element() for _ in range(length)])

    async def finish(self):
        """Compare everything; returns how many elements that were."""
        compared = await self.compare(2 * LATENCY)
        assert self.source.sent == 2 * compared
        assert self.pulses == self.stats.count
        return compared


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def random_traffic(dut):
    """All pairs of extremes, then random vectors of 1 to 60 elements, idle against back-pressure."""
    rng = random.Random(11)
    bench = SwigluBench(dut, rng)
    await bench.start()
    count = len(EXTREMES) ** 2
    await bench.source.send(*bench.vector(sorted(EXTREMES * len(EXTREMES)), EXTREMES * len(EXTREMES)))
    for pauses in [(0, 0), (0.5, 0), (0, 0.8), (0.3, 0.7), (0.7, 0.3), (0.9, 0.9)]:
        bench.pause(*pauses)
        for length in (1, 2, rng.randrange(3, 20), 70, bench.block, 2 * bench.block + 1):
            await bench.source.send(*bench.random_vector(length))
            count += length
    assert await bench.finish() == count > 440
    assert bench.pulses > 20


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    """One element in a cycle without a gap; LATENCY cycles from the first element of a pair to its result."""
    bench = SwigluBench(dut, random.Random(12))
    await bench.start()
    await ClockCycles(dut.clk, 2)
    bench.source.send_nowait(*bench.random_vector(100))
    seen = await moments(dut, "m", 100, moved=("s",), offered=("m",))
    moved_in, results = seen["s"], seen["m"]
    assert moved_in == list(range(moved_in[0], moved_in[0] + 200))
    assert results == list(range(moved_in[0] + LATENCY, moved_in[0] + LATENCY + 200, 2))
    assert await bench.finish() == 100


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_empties(dut):
    """A reset in the middle of a block and of a pair; the next vectors pass right."""
    bench = SwigluBench(dut, random.Random(14))
    await bench.start()
    await bench.source.send(*bench.random_vector(3)[:5])
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 2 * LATENCY)
    bench.wanted, bench.source.sent = [], 0
    bench.sink.queue.clear()
    bench.stats.count = bench.pulses
    for length in (10, 1, 70):
        await bench.source.send(*bench.random_vector(length))
    assert await bench.finish() == 81


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """h1 and h3 exchanged: the comparison objects."""
    bench = SwigluBench(dut, random.Random(13))
    await bench.start()
    good = bench.vector([3 << 20] * 5, [5 << 20] * 5)
    for a, b in zip(good[::2], good[1::2]):
        bench.source.send_nowait(dict(a, data=b["data"]), dict(b, data=a["data"]))
    with pytest.raises(AssertionError):
        await bench.finish()
    assert bench.sink.received == 5
