"""vector_scale: words pass at once, scalars follow in order, with 1/rms for normalised vectors only."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge, Timer

from llama2_myhdl.rtl.layer.vector_scale import DEPTH, SCALE_LATENCY, ports, vector_scale
from llama2_myhdl.rtl.matvec.streams import FACTOR_BITS, SCALE_BITS
from llama2_myhdl.rtl.quant.quantiser import EXPONENT_BITS
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec import kinds
from llama2_myhdl.spec.formats import EXP2_FRAC, UNIT
from llama2_myhdl.spec.presets import preset
from tb.bench import Bench

BUILD = preset("nano").build
WORD_BITS = BUILD.act_word_bits
VECTORS = 84
SCALAR = dict(factor=FACTOR_BITS, scale=-SCALE_BITS)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_vector_scale(sim):
    run(vector_scale, ports(BUILD), __name__, sim, tests=4)


class ScaleBench(Bench):
    """Words go out as they come in at `passed`; the scalars at `scalars`."""

    def __init__(self, dut, rng):
        super().__init__(dut, rng)
        self.words = StreamSource(dut, "s", data=WORD_BITS, exponent=EXPONENT_BITS, tag=kinds.KIND_BITS, last=1)
        self.inverse = StreamSource(dut, "s_r", **SCALAR)
        self.passed = StreamSink(dut, "m", data=WORD_BITS, last=1)
        self.scalars = StreamSink(dut, "m_scale", **SCALAR)
        self.ports = self.words, self.inverse, self.passed, self.scalars


def vector(rng, tag, words):
    """Its words, its 1/rms if it has one, and its scalar."""
    exponent = rng.randrange(1 << EXPONENT_BITS)
    sent = [dict(data=rng.getrandbits(WORD_BITS), exponent=exponent, tag=tag, last=int(w == words - 1))
            for w in range(words)]
    if tag != kinds.GAIN:
        return sent, [], dict(factor=UNIT, scale=exponent - EXP2_FRAC)
    inverse = dict(factor=rng.randrange(UNIT // 2, UNIT + 1), scale=rng.randrange(-40, 40))
    return sent, [inverse], inverse | dict(scale=inverse["scale"] + exponent)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_traffic(dut):
    """Vectors of all tags, every port pausing; nothing is held up for good, whatever waits."""
    rng = random.Random(5)
    bench = ScaleBench(dut, rng)
    await bench.start()
    for pauses in ((0.3, 0.9, 0.4, 0.3), (0, 0, 0, 0), (0, 0.5, 0, 0.9), (0.5, 0.5, 0.5, 0.5)):
        words, scalars = [], []
        bench.pause(*pauses)
        for _ in range(VECTORS):
            sent, inverse, scalar = vector(rng, rng.choice((kinds.GAIN, kinds.OUT, kinds.GATE_UP)), rng.randrange(1, 5))
            bench.words.send_nowait(*sent)
            bench.inverse.send_nowait(*inverse)
            words += [dict(data=word["data"], last=word["last"]) for word in sent]
            scalars.append(scalar)
        await bench.passed.wait(len(words))
        await bench.scalars.wait(VECTORS)
        await ClockCycles(dut.clk, 10)
        assert list(bench.passed.queue) == words and list(bench.scalars.queue) == scalars
        assert len(set(map(str, words))) > 1
        bench.passed.queue.clear()
        bench.scalars.queue.clear()
        assert not bench.inverse.queue


@cocotb.test(timeout_time=1, timeout_unit="us")
async def latencies(dut):
    """A word in its own cycle, its scalar SCALE_LATENCY later; a scalar with its 1/rms within the cycle."""
    rng = random.Random(6)
    bench = ScaleBench(dut, rng)
    await bench.start()
    await ClockCycles(dut.clk, 3)
    for tag, waits in ((kinds.OUT, SCALE_LATENCY), (kinds.GAIN, None)):
        (word,), inverse, scalar = vector(rng, tag, 1)
        bench.words.send_nowait(word)
        while dut.s_valid.value != 1:
            await RisingEdge(dut.clk)
        assert dut.m_valid.value == 1 and int(dut.m_data.value) == word["data"]
        await ClockCycles(dut.clk, SCALE_LATENCY)
        assert bench.passed.received and int(dut.m_scale_valid.value) == (waits is not None)
        if inverse:
            await ClockCycles(dut.clk, 5)
            assert dut.m_scale_valid.value == 0
            bench.inverse.send_nowait(*inverse)
            while dut.s_r_valid.value != 1:
                await RisingEdge(dut.clk)
            assert dut.m_scale_valid.value == 1
        await ClockCycles(dut.clk, 2)
        assert bench.scalars.queue.pop() == scalar


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def others_do_not_wait(dut):
    """The words of DEPTH vectors and more pass at full rate while the first one's 1/rms is missing; then some wait."""
    rng = random.Random(7)
    bench = ScaleBench(dut, rng)
    await bench.start()
    await ClockCycles(dut.clk, 2)
    made = [vector(rng, tag, 3) for tag in (kinds.GAIN, *(DEPTH + 4) * [kinds.GATE_UP])]
    for sent, _, _ in made:
        bench.words.send_nowait(*sent)
    first = None
    for cycle in range(60):
        await RisingEdge(dut.clk)
        first = first or (bench.passed.received and cycle)
        if first and cycle - first < 3 * DEPTH:
            assert bench.passed.received >= cycle - first
    assert 3 * DEPTH < bench.words.sent < 3 * len(made) and not bench.scalars.received
    bench.inverse.send_nowait(*made[0][1])
    await bench.scalars.wait(len(made))
    assert list(bench.scalars.queue) == [scalar for _, _, scalar in made]
    assert bench.words.sent == bench.passed.received == 3 * len(made)


@cocotb.test(timeout_time=1, timeout_unit="us")
async def reset(dut):
    """What waits is dropped."""
    rng = random.Random(8)
    bench = ScaleBench(dut, rng)
    await bench.start()
    await ClockCycles(dut.clk, 2)
    sent, _, _ = vector(rng, kinds.GAIN, 2)
    bench.words.send_nowait(*sent)
    await ClockCycles(dut.clk, 8)
    assert bench.passed.received == 2
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await Timer(1, "ns")
    sent, _, scalar = vector(rng, kinds.OUT, 1)
    bench.words.send_nowait(*sent)
    await bench.scalars.wait(1)
    assert list(bench.scalars.queue) == [scalar]
