"""quantiser against golden.fixed.arith.quantise: block and head shapes, every exponent, random traffic."""
import random

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles

import llama2_myhdl.golden.fixed.arith as golden
from llama2_myhdl.rtl.quant.quantiser import EXPONENT_BITS, latency, ports, quantiser
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.kinds import KEY, KIND_BITS, QUERY
from llama2_myhdl.spec.presets import preset
from tb.bench import TRAFFIC, Bench, moments
from tb.lanes import packed

CFG = preset("default").build
LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1
USES = {
    "block": dict(MAX_LEN=CFG.max_dim, WORD=CFG.lanes, QLANES=CFG.quant_lanes, BITS=CFG.act_bits),
    "head": dict(MAX_LEN=CFG.max_head_dim, WORD=CFG.max_head_dim, QLANES=CFG.max_head_dim // 2, BITS=CFG.act_bits),
    "value head": dict(MAX_LEN=CFG.max_head_dim, WORD=CFG.max_head_dim, QLANES=CFG.max_head_dim, BITS=CFG.value_bits),
    "short": dict(MAX_LEN=5, WORD=4, QLANES=2, BITS=8),
    "whole word": dict(MAX_LEN=24, WORD=4, QLANES=4, BITS=16),
    "many groups": dict(MAX_LEN=100, WORD=48, QLANES=6, BITS=16),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_quantiser(sim, use):
    run(quantiser, ports(**USES[use]), __name__, sim, parameters=USES[use], tests=6)


@pytest.mark.parametrize("lanes", [1, 3])
def test_lanes_are_checked(lanes):
    with pytest.raises(ValueError, match=f"QLANES must be even and divide WORD = 4, is {lanes}"):
        quantiser(**ports(**USES["short"] | dict(QLANES=lanes)))


def words(x, tag, use):
    """Golden words of one vector, as the sink reports them."""
    bits = use["BITS"]
    mantissas, exponent = golden.quantise(np.array(x), bits)
    lanes = [*mantissas, *[0] * (-len(x) % use["WORD"])]
    rows = [lanes[k:k + use["WORD"]] for k in range(0, len(lanes), use["WORD"])]
    return [dict(data=packed(row, bits), exponent=exponent, tag=tag,
                 last=int(n == len(rows) - 1)) for n, row in enumerate(rows)]


class QuantiserBench(Bench):
    """The golden words of what was sent."""

    def __init__(self, dut, rng):
        super().__init__(dut, rng)
        self.use, self.transfers = test_parameters(), 0
        self.source = StreamSource(dut, "s", data=-F_BITS, second=-F_BITS, both=1, tag=KIND_BITS, last=1)
        self.sink = StreamSink(dut, "m", data=self.use["WORD"] * self.use["BITS"], exponent=EXPONENT_BITS,
                               tag=KIND_BITS, last=1)
        self.ports = self.source, self.sink

    def send(self, x, tag, pairs=False):
        """Queue a vector, one element at a time or two; an odd one goes in single elements."""
        pairs = pairs and len(x) % 2 == 0
        steps = list(zip(x[::2], x[1::2])) if pairs else [(v, self.rng.randint(LOW, HIGH)) for v in x]
        # the tag of the last element counts; the others' must not matter, nor `second` of a single element
        tags = [self.rng.randrange(1 << KIND_BITS) for _ in steps[1:]] + [tag]
        self.source.send_nowait(*[dict(data=a, second=b, both=int(pairs), tag=t, last=int(k == len(steps) - 1))
                                  for k, ((a, b), t) in enumerate(zip(steps, tags))])
        self.wanted += words(x, tag, self.use)
        self.transfers += len(steps)

    def vector(self, length):
        span = self.rng.randrange(F_BITS)
        x = [self.rng.randrange(LOW, HIGH + 1) >> span for _ in range(length)]
        if self.rng.random() < 0.2:
            x[self.rng.randrange(length)] = self.rng.choice([LOW, HIGH])
        return x

    async def finish(self):
        """Compare everything; returns the number of words."""
        compared = await self.compare(2 * latency(self.use["WORD"], self.use["QLANES"]))
        assert self.source.sent == self.transfers
        return compared


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def extremes(dut):
    """Zero and single elements, all at the limits, and around every power of two: all exponents, all clips."""
    bench = QuantiserBench(dut, random.Random(1))
    await bench.start()
    longest = bench.use["MAX_LEN"]
    for length in (1, longest):
        for value in (0, 1, -1, LOW, HIGH):
            bench.send([value] * length, KEY)
    for k in range(F_BITS - 1):
        for value in (1 << k, (1 << k) - 1, -(1 << k), -(1 << k) - 1, (1 << k) - (1 << k >> 9)):
            bench.send([value, value >> 1, -value][:longest], KEY)
            bench.send([value >> 2, value], QUERY, pairs=True)
    seen = {word["exponent"] for word in bench.wanted}
    assert seen == set(range(F_BITS - bench.use["BITS"] + 1))
    per_long = -(-longest // bench.use["WORD"])
    assert await bench.finish() == 5 * (1 + per_long) + (F_BITS - 1) * 10


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def random_traffic(dut):
    rng = random.Random(3)
    bench = QuantiserBench(dut, rng)
    await bench.start()
    longest = bench.use["MAX_LEN"]
    for pauses in (*TRAFFIC, (0, 0.5)):
        bench.pause(*pauses)
        for length in [1, 1, 1, longest, longest, 1, longest] + [rng.randint(1, longest) for _ in range(14)]:
            bench.send(bench.vector(length), rng.choice([KEY, QUERY]), pairs=rng.random() < 0.5)
        await bench.sink.wait(len(bench.wanted))
    assert await bench.finish() >= 5 * 19


async def watch(bench, count):
    """Cycles of the transfers in, and those with a word at the output (nothing stops it), until `count` words came."""
    seen = await moments(bench.dut, "m", count, moved=("s",), offered=("m",))
    return seen["s"], seen["m"]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_of_every_length(dut):
    """One vector at a time: `latency` to the first word, then a word every WORD / QLANES cycles."""
    bench = QuantiserBench(dut, random.Random(6))
    await bench.start()
    await ClockCycles(dut.clk, 3)
    word, lanes, longest = (bench.use[name] for name in ("WORD", "QLANES", "MAX_LEN"))
    for length in sorted({1, 2, lanes - 1, lanes, lanes + 1, word - 1, word, word + 1, longest - 1, longest}):
        if not 1 <= length <= longest:
            continue
        for pairs in (False, True):
            bench.send(bench.vector(length), KEY, pairs)
            count = -(-length // word)
            entered, left = await watch(bench, count)
            assert left == [entered[-1] + latency(word, lanes) + k * (word // lanes) for k in range(count)]
    assert await bench.finish() > 4


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def throughput(dut):
    """Vectors as long as the buffers hold, back to back: no gap at the input, and the same latency for each."""
    bench = QuantiserBench(dut, random.Random(4))
    await bench.start()
    await ClockCycles(dut.clk, 3)
    word, lanes, longest = (bench.use[name] for name in ("WORD", "QLANES", "MAX_LEN"))
    vectors, per_vector = 4, -(-longest // word)
    for _ in range(vectors):
        bench.send(bench.vector(longest), KEY)
    entered, left = await watch(bench, vectors * per_vector)
    assert entered == list(range(entered[0], entered[0] + vectors * longest))
    for n in range(vectors):
        first = entered[(n + 1) * longest - 1] + latency(word, lanes)
        assert left[n * per_vector:(n + 1) * per_vector] == [first + k * (word // lanes) for k in range(per_vector)]
    assert await bench.finish() == vectors * per_vector


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_empties(dut):
    """A reset with a word waiting and a vector begun; the next ones pass right."""
    bench = QuantiserBench(dut, random.Random(7))
    bench.sink.pause(random.Random(0), 1.0)
    await bench.start()
    longest = bench.use["MAX_LEN"]
    bench.send([HIGH] * longest, KEY)
    bench.source.send_nowait(dict(data=HIGH, second=0, both=0, tag=0, last=0))
    await ClockCycles(dut.clk, 2 * longest + 20)
    assert dut.m_valid.value == 1 and not bench.source.queue
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 10)
    assert dut.m_valid.value == 0
    bench.sink.pause(None, 0)
    bench.wanted, bench.transfers = [], bench.source.sent
    for length in (1, longest, 2):
        bench.send(bench.vector(length), QUERY)
    assert await bench.finish() == 2 + -(-longest // bench.use["WORD"])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """One unit more in the first element, and the words differ."""
    bench = QuantiserBench(dut, random.Random(5))
    await bench.start()
    bench.send([5] + [0] * (bench.use["MAX_LEN"] - 1), KEY)
    good, bench.wanted = bench.wanted, []
    bench.wanted = words([6] + [0] * (bench.use["MAX_LEN"] - 1), KEY, bench.use)
    with pytest.raises(AssertionError):
        await bench.finish()
    assert list(bench.sink.queue) == good
