"""embedding against golden.fixed.embedding.embed: boot, every token of the vocabulary, several shapes in one build."""
import random
from dataclasses import replace
from itertools import chain

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.embedding.embedding import embedding, latency, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.presets import PRESETS
from tb.embedding.rows import random_row

# rows of one beat, rows of up to five beats with a last one that is not full, the smallest build, weights of 16 bits
CONFIGS = {
    "default": PRESETS["default"].build,
    "long_rows": BuildConfig(max_dim=36, max_hidden=64, max_layers=1, max_heads=4, max_kv_heads=4, max_head_dim=10,
                             max_vocab=50, max_seq=16, lanes=8),
    "nano": PRESETS["nano"].build,
    "nano16": replace(PRESETS["nano"].build, weight_bits=16),
}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_embedding(sim, name):
    run(embedding, ports(CONFIGS[name]), __name__, sim, parameters=dict(config=name), tests=3)


class Bench:
    """Drivers of the three streams and the table that was written."""

    def __init__(self, dut, rng):
        self.dut, self.rng, self.cfg = dut, rng, CONFIGS[test_parameters()["config"]]
        self.boot = StreamSource(dut, "s_boot", data=self.cfg.beat_bits, last=1)
        self.tokens = StreamSource(dut, "s_token", token=self.cfg.token_bits)
        self.sink = StreamSink(dut, "m", data=-self.cfg.f_bits, last=1)
        self.wanted = []

    async def load(self, dim, vocab):
        """Set the shape and write a table of random rows with extremes among them, padded with noise."""
        beats = -(-dim // self.cfg.lanes)
        self.dut.dim.value, self.dut.dim_beats.value, self.dim = dim, beats, dim
        await ClockCycles(self.dut.clk, 1)
        self.rows, parts = zip(*(random_row(self.rng, dim, self.cfg) for _ in range(vocab)))
        stream = list(chain(*parts))
        await self.boot.send(*[dict(data=data, last=int(k == len(stream) - 1)) for k, data in enumerate(stream)])
        await ClockCycles(self.dut.clk, 2)

    def ask(self, token):
        self.tokens.send_nowait(dict(token=token))
        self.wanted += [dict(data=y, last=int(k == self.dim - 1)) for k, y in enumerate(self.rows[token])]

    async def finish(self):
        """Compare everything; returns how many elements that were."""
        await self.sink.wait(len(self.wanted))
        await ClockCycles(self.dut.clk, 30)
        assert list(self.sink.queue) == self.wanted
        assert self.sink.received == len(self.wanted)
        return len(self.wanted)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def random_tokens(dut):
    """Three tables in turn, every token of each; first, last, equal and random ones back to back; back-pressure."""
    rng = random.Random(15)
    bench = Bench(dut, rng)
    await start(dut)
    cfg, count = bench.cfg, 0
    for dim, vocab in [(cfg.max_dim, cfg.max_vocab), (cfg.max_dim // 2, cfg.max_vocab // 2), (cfg.max_dim - 2, 3)]:
        bench.boot.pause(rng, 0.2)
        await bench.load(dim, vocab)
        for idle, wait in [(0, 0), (0.5, 0), (0, 0.5), (0.8, 0.8)]:
            bench.tokens.pause(rng, idle)
            bench.sink.pause(rng, wait)
            everything = rng.sample(range(vocab), vocab) if idle == wait == 0 else []
            for token in (0, vocab - 1, vocab - 1, *[rng.randrange(vocab) for _ in range(6)], *everything):
                bench.ask(token)
                count += dim
            await bench.sink.wait(len(bench.wanted))
    assert await bench.finish() == count


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    """The first element after `latency` cycles, the others one a cycle."""
    bench = Bench(dut, random.Random(16))
    await start(dut)
    await bench.load(bench.cfg.max_dim, 3)
    bench.ask(2)
    cycle, taken, results = 0, None, []
    while len(results) < bench.dim:
        await RisingEdge(dut.clk)
        cycle += 1
        if dut.s_token_valid.value and dut.s_token_ready.value:
            taken = cycle
        if dut.m_valid.value:
            results.append(cycle)
    first = taken + latency(bench.cfg)
    assert results == list(range(first, first + bench.dim))
    assert await bench.finish() == bench.dim


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """Another token than was asked for: the comparison objects."""
    bench = Bench(dut, random.Random(17))
    await start(dut)
    await bench.load(bench.cfg.max_dim, 3)
    bench.ask(2)
    bench.tokens.queue[0] = dict(token=1)
    with pytest.raises(AssertionError):
        await bench.finish()
    assert bench.sink.received == bench.dim
