"""The sampler against golden.fixed.sampler: settings and logits of all kinds mixed, ties, extremes, random traffic."""
import random
from dataclasses import replace

import cocotb
import numpy as np
import pytest
from cocotb.triggers import RisingEdge

from llama2_myhdl.golden.fixed.sampler import sample
from llama2_myhdl.rtl.sampling.sampler import latency, ports, sampler
from llama2_myhdl.rtl.sampling.settings import Settings
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.sampling import LIST, SHIFT_MAX, SHIFT_MIN, Sampling
from tb.bench import TRAFFIC, Bench, moments

LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1
BUILDS = {vocab: replace(preset("default").build, max_vocab=vocab) for vocab in (512, 32000)}
DRAWS = {("verilator", 512): 2000, ("verilator", 32000): 12, ("icarus", 512): 40, ("icarus", 32000): 2}


@pytest.mark.long_runs
@pytest.mark.parametrize("vocab", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_sampler(sim, vocab):
    run(sampler, ports(BUILDS[vocab]), __name__, sim, parameters=dict(vocab=vocab, draws=DRAWS[sim, vocab]), tests=5)


class SamplerBench(Bench):
    """Vectors of logits one after the other, each with the settings that it is drawn with."""

    def __init__(self, dut, rng=None):
        super().__init__(dut, rng)
        self.cfg = BUILDS[test_parameters()["vocab"]]
        self.source = StreamSource(dut, "s", data=-F_BITS, last=1)
        self.sink = StreamSink(dut, "m", token=self.cfg.token_bits, logprob=-F_BITS, beyond=1)
        self.ports, self.golden = (self.source, self.sink), sample

    async def draw(self, logits, registers, position=0, target=None, score=True):
        """Draw once and compare: the golden Draw."""
        wanted = self.golden(logits, registers, position, target=target)
        for name in Settings().payload:
            getattr(self.dut, f"settings_{name}").value = int(score) if name == "logprobs" else getattr(registers, name)
        self.dut.position.value, self.dut.given.value = position, target is not None
        self.dut.target.value = target or 0
        self.dut.start.value = 1
        await RisingEdge(self.dut.clk)
        self.dut.start.value = 0
        await RisingEdge(self.dut.clk)
        self.source.send_nowait(*[dict(data=int(v), last=int(k == len(logits) - 1)) for k, v in enumerate(logits)])
        found = await self.sink.recv()
        if target is None and not registers.greedy:
            assert (found["token"], found["beyond"]) == (wanted.token, wanted.overflow)
        assert found["logprob"] == (wanted.logprob if score else 0)
        return wanted


def settings(rng):
    """Settings of any kind, as the hardware has them."""
    sampling = Sampling(
        temperature=rng.choice([0.0, 1 / 64, 0.5, 0.8, 1.0, 1.5, 10.0, 1024.0]),
        top_k=rng.choice([0, 0, 1, 2, 5, 40, LIST]),
        top_p=rng.choice([0.0, 0.1, 0.5, 0.9, 0.99, 1.0, 1.0]),
        min_p=rng.choice([0.0, 0.0, 0.001, 0.05, 0.5, 1.0]),
        seed=rng.getrandbits(32),
        stream=rng.getrandbits(32),
    )
    registers = sampling.registers()
    if rng.random() < 0.1:
        registers = replace(registers, scale=rng.getrandbits(16), shift=rng.randint(SHIFT_MIN, SHIFT_MAX))
    return registers


def logits(rng, length):
    """Of any kind: as a model's, few distinct ones, rising, falling, at the limits."""
    kind = rng.randrange(7)
    if kind == 0:
        return [rng.randint(LOW, HIGH) for _ in range(length)]
    if kind == 1:
        return [rng.choice([LOW, HIGH, 0]) for _ in range(length)]
    if kind == 2:
        return [rng.randrange(4) << 18 for _ in range(length)]
    if kind == 3:
        return sorted(int(rng.gauss(0, 3) * 2**20) for _ in range(length))
    if kind == 4:
        return sorted((int(rng.gauss(0, 3) * 2**20) for _ in range(length)), reverse=True)
    if kind == 5:
        return [rng.choice([5, -5, 0]) << 20] * length
    return [int(rng.gauss(0, 3) * 2**20) for _ in range(length)]


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def draws(dut):
    """Everything mixed: settings, logits, vocabularies, targets, pauses."""
    rng = random.Random(11)
    bench = SamplerBench(dut, rng)
    await bench.start()
    count, tokens, beyond = test_parameters()["draws"], set(), 0
    for k in range(count):
        if k % 5 == 4:  # the first ones free
            bench.pause(*rng.choice(TRAFFIC))
        long = bench.cfg.max_vocab > 512 and k % 4 == 0
        length = bench.cfg.max_vocab if long else rng.choice([1, 2, 3, 32, 63, 64, 65, 80, 512])
        registers = settings(rng)
        target = rng.choice([None, None, None, rng.randrange(length), length])
        position = rng.randrange(bench.cfg.max_seq)
        score = rng.random() < 0.7 or target is not None or bool(registers.greedy)
        draw = await bench.draw(logits(rng, length), registers, position, target, score)
        tokens.add(draw.token)
        beyond += draw.overflow
    assert len(tokens) > count // 10 or count > 1000 and len(tokens) > 100 and beyond > 0


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def follows_the_random_numbers(dut):
    """Equal logits: each token's turn comes, whatever cuts them off; k = 1 and p = 0 leave the first one."""
    bench = SamplerBench(dut)
    await bench.start()
    flat = [1 << 20] * 8
    for k in (0, 8):
        registers = Sampling(temperature=1, top_k=k, seed=3).registers()
        seen = set()
        for position in range(60):
            seen.add((await bench.draw(flat, registers, position)).token)
            if len(seen) == len(flat):
                break
        assert seen == set(range(8))
    for one in (dict(top_k=1), dict(top_p=0), dict(min_p=1)):
        sampling = Sampling(temperature=1, **one)
        high = [0, 3 << 20, 3 << 20, 1] if sampling.min_p == 0 else [0, 1, 3 << 20, 2]
        seen = {(await bench.draw(high, sampling.registers(), position)).token for position in range(10)}
        assert seen == {int(np.argmax(high))}


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def latencies(dut):
    """Cycles from the last logit to the draw, for a full list, a short one, none, with and without a logarithm."""
    bench = SamplerBench(dut)
    await bench.start()
    rng = random.Random(5)
    values = logits(rng, 100)
    for listed, cut in ((0, {}), (LIST, dict(top_p=0.9)), (10, dict(top_k=10))):
        sampling = Sampling(temperature=1, **cut)
        for score in (False, True):
            seen = cocotb.start_soon(moments(dut, "m", 1, moved=("s",), offered=("m",)))
            await bench.draw(values, sampling.registers(), score=score)
            times = await seen
            assert times["m"][0] - times["s"][99] == latency(score, listed), (listed, score)
            assert times["s"][99] - times["s"][0] == 99


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def silent(dut):
    """Greedy without log-probabilities: logits are swallowed and nothing comes."""
    bench = SamplerBench(dut)
    await bench.start()
    dut.settings_greedy.value, dut.settings_logprobs.value, dut.given.value = 1, 0, 0
    dut.start.value = 1
    await RisingEdge(dut.clk)
    dut.start.value = 0
    bench.source.send_nowait(*[dict(data=k, last=int(k == 99)) for k in range(100)])
    for _ in range(400):
        await RisingEdge(dut.clk)
    assert not bench.source.queue and not bench.sink.queue
    draw = await bench.draw([1, 2, 3], Sampling(temperature=1).registers())
    assert draw.token in (0, 1, 2)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """The draw of another position is not taken for right."""
    bench = SamplerBench(dut)
    await bench.start()
    registers = Sampling(temperature=1, seed=1).registers()
    flat = [0] * 50
    other = next(k for k in range(2, 9) if sample(flat, registers, k) != sample(flat, registers, 1))
    bench.golden = lambda logits, registers, position, target: sample(logits, registers, other)
    with pytest.raises(AssertionError):
        await bench.draw(flat, registers, 1)
