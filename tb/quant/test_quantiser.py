"""quantiser against golden.fixed.arith.quantise: block and head shapes, every exponent, random traffic."""
import random

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

import golden.fixed.arith as golden
from golden.fixed.arith import F_BITS
from rtl.config import preset
from rtl.layer.kinds import KEY, KIND_BITS, VALUE
from rtl.quant.quantiser import EXPONENT_BITS, latency, quantiser
from rtl.stream.stream import Stream, bit, sint, uint
from tb.clock import start
from tb.runner import SIMULATORS, run, test_parameters
from tb.stream.drivers import StreamSink, StreamSource

CFG = preset("default").build
LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1
USES = {
    "block": dict(MAX_LEN=CFG.max_cols, WORD=CFG.lanes, QLANES=CFG.quant_lanes, BITS=CFG.act_bits, NARROW=0),
    "head": dict(MAX_LEN=CFG.max_head_dim, WORD=CFG.max_head_dim, QLANES=2, BITS=CFG.act_bits, NARROW=CFG.value_bits),
    "short": dict(MAX_LEN=5, WORD=4, QLANES=2, BITS=8, NARROW=0),
    "whole word": dict(MAX_LEN=24, WORD=4, QLANES=4, BITS=16, NARROW=12),
}


def ports(use):
    word = uint(use["WORD"] * use["BITS"])
    return dict(clk=bit(), rst=bit(), s=Stream(data=sint(F_BITS), tag=uint(KIND_BITS), last=bit()),
                m=Stream(data=word, exponent=uint(EXPONENT_BITS), tag=uint(KIND_BITS), last=bit()), **use)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_quantiser(sim, use):
    run(quantiser, ports(USES[use]), __name__, sim, parameters=USES[use], tests=4)


@pytest.mark.parametrize("lanes", [1, 3])
def test_lanes_are_checked(lanes):
    with pytest.raises(ValueError, match=f"QLANES must be 2 or more and divide WORD = 4, is {lanes}"):
        quantiser(**ports(USES["short"] | dict(QLANES=lanes)))


def words(x, tag, use):
    """Golden words of one vector, as the sink reports them."""
    bits = use["NARROW"] if tag == VALUE and use["NARROW"] else use["BITS"]
    mantissas, exponent = golden.quantise(np.array(x), bits)
    lanes = [int(v) & ((1 << use["BITS"]) - 1) for v in mantissas] + [0] * (-len(x) % use["WORD"])
    rows = [lanes[k:k + use["WORD"]] for k in range(0, len(lanes), use["WORD"])]
    return [dict(data=sum(v << (k * use["BITS"]) for k, v in enumerate(row)), exponent=exponent, tag=tag,
                 last=int(n == len(rows) - 1)) for n, row in enumerate(rows)]


class Bench:
    """Drivers of both ports and the golden words of what was sent."""

    def __init__(self, dut, rng):
        self.dut, self.rng, self.use = dut, rng, test_parameters()
        self.source = StreamSource(dut, "s", data=-F_BITS, tag=KIND_BITS, last=1)
        self.sink = StreamSink(dut, "m", data=self.use["WORD"] * self.use["BITS"], exponent=EXPONENT_BITS,
                               tag=KIND_BITS, last=1)
        self.wanted, self.elements = [], 0

    def send(self, x, tag):
        # the tag of the last element counts; the others' must not matter
        tags = [self.rng.randrange(1 << KIND_BITS) for _ in x[1:]] + [tag]
        self.source.send_nowait(*[dict(data=v, tag=t, last=int(k == len(x) - 1))
                                  for k, (v, t) in enumerate(zip(x, tags))])
        self.wanted += words(x, tag, self.use)
        self.elements += len(x)

    def vector(self, length):
        span = self.rng.randrange(F_BITS)
        x = [self.rng.randrange(LOW, HIGH + 1) >> span for _ in range(length)]
        if self.rng.random() < 0.2:
            x[self.rng.randrange(length)] = self.rng.choice([LOW, HIGH])
        return x

    async def finish(self):
        """Compare everything; returns the number of words."""
        await self.sink.wait(len(self.wanted))
        await ClockCycles(self.dut.clk, 2 * latency(self.use["WORD"], self.use["QLANES"]))
        assert list(self.sink.queue) == self.wanted
        assert self.source.sent == self.elements
        assert self.sink.received == len(self.wanted)
        return self.sink.received


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def extremes(dut):
    """Zero and single elements, all at the limits, and around every power of two: all exponents, all clips."""
    bench = Bench(dut, random.Random(1))
    await start(dut)
    tags = (KEY, VALUE)
    longest = bench.use["MAX_LEN"]
    for tag in tags:
        for length in (1, longest):
            for value in (0, 1, -1, LOW, HIGH):
                bench.send([value] * length, tag)
        for k in range(F_BITS - 1):
            for value in (1 << k, (1 << k) - 1, -(1 << k), -(1 << k) - 1, (1 << k) - (1 << k >> 9)):
                bench.send([value, value >> 1, -value][:longest], tag)
    seen = {word["exponent"] for word in bench.wanted}
    smallest = bench.use["NARROW"] or bench.use["BITS"]
    assert seen == set(range(F_BITS - smallest + 1))
    per_long = -(-longest // bench.use["WORD"])
    assert await bench.finish() == 2 * (5 * (1 + per_long) + (F_BITS - 1) * 5)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def random_traffic(dut):
    rng = random.Random(3)
    bench = Bench(dut, rng)
    await start(dut)
    longest = bench.use["MAX_LEN"]
    for idle, wait in [(0, 0), (0.5, 0.5), (0, 0.9), (0.9, 0), (0, 0.5)]:
        bench.source.pause(rng, idle)
        bench.sink.pause(rng, wait)
        for length in [1, 1, 1, longest, longest, 1, longest] + [rng.randint(1, longest) for _ in range(12)]:
            bench.send(bench.vector(length), rng.choice([KEY, VALUE]))
        await bench.sink.wait(len(bench.wanted))
    assert await bench.finish() >= 5 * 19


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    """Input without a gap, `latency` to the first word, then a word every WORD / QLANES cycles."""
    bench = Bench(dut, random.Random(4))
    await start(dut)
    await ClockCycles(dut.clk, 3)
    longest, vectors = bench.use["MAX_LEN"], 3
    for _ in range(vectors):
        bench.send(bench.vector(longest), KEY)
    entered, left, cycle = [], [], 0
    while len(left) < len(bench.wanted):
        await RisingEdge(dut.clk)
        cycle += 1
        if dut.s_valid.value and dut.s_ready.value:
            entered.append(cycle)
        if dut.m_valid.value:
            left.append(cycle)
    groups = bench.use["WORD"] // bench.use["QLANES"]
    per_vector = -(-longest // bench.use["WORD"])
    assert entered == list(range(entered[0], entered[0] + vectors * longest))
    for n in range(vectors):
        first = entered[(n + 1) * longest - 1] + latency(bench.use["WORD"], bench.use["QLANES"])
        assert left[n * per_vector:(n + 1) * per_vector] == [first + k * groups for k in range(per_vector)]
    assert await bench.finish() == vectors * per_vector


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """One unit more in the first element, and the words differ."""
    bench = Bench(dut, random.Random(5))
    await start(dut)
    bench.send([5] + [0] * (bench.use["MAX_LEN"] - 1), KEY)
    good, bench.wanted = bench.wanted, []
    bench.wanted = words([6] + [0] * (bench.use["MAX_LEN"] - 1), KEY, bench.use)
    with pytest.raises(AssertionError):
        await bench.finish()
    assert list(bench.sink.queue) == good
