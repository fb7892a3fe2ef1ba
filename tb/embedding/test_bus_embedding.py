"""bus_embedding: rows in memory as golden.fixed.embedding.embed, whatever the memory does; a station before it."""

import random
from dataclasses import replace

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.embedding.bus_embedding import bus_embedding, ports
from llama2_myhdl.sim.axi_memory import ReadMemory
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.axi import DECERR, SLVERR, ReadMaster
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.embedding import row_bytes
from llama2_myhdl.spec.errors import BAD_WINDOW, DECODE_ERROR, NONE, SLAVE_ERROR
from llama2_myhdl.spec.presets import PRESETS
from tb.embedding.rows import random_row

SMALL = dict(burst=4, depth=16, outstanding=3)
CONFIGS = {  # words of two beats and of many; beats of two words
    "nano": PRESETS["nano-bus"].build,
    "many": replace(PRESETS["nano"].build, embedding=ReadMaster(data_bits=512, **SMALL)),
    "default": replace(PRESETS["default"].build, embedding=ReadMaster(data_bits=256, **SMALL)),
}
STORM = dict(latency=(1, 90), stalls=dict(ar=0.4, r=0.3), refresh=(200, 20))
CODES = {SLVERR: SLAVE_ERROR, DECERR: DECODE_ERROR}


@pytest.mark.parametrize("sim, name", [*((SIMULATORS[0], name) for name in CONFIGS), (SIMULATORS[-1], "nano")])
def test_bus_embedding(sim, name):
    run(bus_embedding, ports(CONFIGS[name]), __name__, sim, parameters=dict(config=name), tests=4)


class Bench:
    """Drivers of both streams, a memory with a table of random rows, and what must come out."""

    def __init__(self, dut, seed):
        self.dut, self.rng, self.cfg = dut, random.Random(seed), CONFIGS[test_parameters()["config"]]
        self.memory = ReadMemory(dut, "m_axi", self.cfg.embedding, 1, self.rng)
        self.tokens = StreamSource(dut, "s_token", token=self.cfg.token_bits)
        self.sink = StreamSink(dut, "m", data=-self.cfg.f_bits, last=1)
        dut.enable.value = 0
        self.wanted, self.count = [], 0

    async def load(self, dim, vocab, base=None):
        """Reset, with a table of random rows, extremes among them, padded with noise; what waits is asked for anew."""
        rng, cfg, dut = self.rng, self.cfg, self.dut
        beats = -(-dim // cfg.lanes)
        size = row_bytes(ModelShape(dim, 4, 1, 1, 1, vocab, 4), cfg)
        self.rows, table = [], b""
        for _ in range(vocab):
            row, words = random_row(rng, dim, cfg)
            self.rows.append(row)
            data = b"".join(beat.to_bytes(cfg.beat_bytes, "little") for beat in words)
            table += data + rng.randbytes(size - len(data))
        word = cfg.embedding.word_bytes
        base = rng.randrange(1 << 39) // word * word if base is None else base
        self.memory.fill({base: table})
        dut.rst.value, dut.enable.value = 1, 0
        dut.base.value, dut.dim.value, dut.dim_beats.value, dut.vocab_size.value = base, dim, beats, vocab
        await ClockCycles(dut.clk, 3)
        self.sink.queue.clear()
        self.wanted = []
        for waiting in self.tokens.queue:
            self._want(waiting["token"])
        dut.rst.value = 0
        await ClockCycles(dut.clk, 1)
        dut.enable.value = 1

    def ask(self, *tokens):
        for token in tokens:
            self.tokens.send_nowait(dict(token=token))
            self._want(token)

    def _want(self, token):
        row = self.rows[token]
        self.wanted += [dict(data=y, last=int(k == len(row) - 1)) for k, y in enumerate(row)]

    async def finish(self):
        """Compare everything, and that the bus is quiet."""
        await self.sink.wait(len(self.wanted))
        await ClockCycles(self.dut.clk, 60)
        assert list(self.sink.queue) == self.wanted
        assert self.dut.error.value == NONE and self.dut.busy.value == 0
        self.memory.monitor.finish()
        self.count += len(self.wanted)
        self.sink.queue.clear()
        self.wanted = []


@cocotb.test(timeout_time=8, timeout_unit="ms")
async def random_tokens(dut):
    """Tables of several shapes, every token of each, before a quick memory and a stormy one; back-pressure."""
    bench = Bench(dut, 15)
    await start(dut)
    cfg, count = bench.cfg, 0
    for dim, vocab in ((cfg.max_dim, cfg.max_vocab), (cfg.max_dim // 2, 7), (cfg.max_dim - 2, 1), (2, 5)):
        bench.tokens.pause(None, 0), bench.sink.pause(None, 0)
        await bench.load(dim, vocab)
        for memory, idle, wait in ((dict(latency=(1, 1), refresh=None), 0, 0), (STORM, 0, 0.5), (STORM, 0.8, 0)):
            vars(bench.memory).update(memory)
            bench.tokens.pause(bench.rng, idle)
            bench.sink.pause(bench.rng, wait)
            everything = bench.rng.sample(range(vocab), vocab) if memory is not STORM else []
            tokens = [0, vocab - 1, vocab - 1, *[bench.rng.randrange(vocab) for _ in range(4)], *everything]
            bench.ask(*tokens)
            count += len(tokens) * dim
            await bench.finish()
        bench.memory.stalls = dict(ar=0.0, r=0.0)
    assert bench.count == count


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def rate(dut):
    """Rows that are asked for together follow each other, though the memory takes a while: an element a cycle, and
    between two rows no more than the exponent's beat and the beats that the bus is behind."""
    bench = Bench(dut, 16)
    bench.memory.latency = (40, 40)
    await start(dut)
    dim = bench.cfg.max_dim
    await bench.load(dim, 3)
    bench.ask(2, 0, 1, 1, 2, 0)
    cycle, elements = 0, []
    while len(elements) < 6 * dim:
        await RisingEdge(dut.clk)
        cycle += 1
        if dut.m_valid.value == 1:
            elements.append(cycle)
    lengths = [elements[k + dim - 1] - elements[k] for k in range(0, 6 * dim, dim)]
    assert min(lengths) == dim - 1 and max(lengths) <= dim + 4
    assert elements[-1] - elements[dim] < 5 * dim + 5 * 40
    await bench.finish()


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def a_memory_that_fails(dut):
    """SLVERR, DECERR or a table out of place: the code and no element of what came later; then all is well."""
    bench = Bench(dut, 17)
    bench.memory.latency = (1, 30)
    await start(dut)
    dim, failed = bench.cfg.max_dim, 0
    for number in range(6):
        code = bench.rng.choice(list(CODES))
        await bench.load(dim, 3)
        bench.memory.faults = {bench.memory.made + number: code}
        bench.ask(*[bench.rng.randrange(3) for _ in range(8)])
        while dut.error.value == NONE:
            await RisingEdge(dut.clk)
        await ClockCycles(dut.clk, 300)
        assert dut.error.value == CODES[code] and dut.busy.value == 0
        came = list(bench.sink.queue)
        assert came == bench.wanted[: len(came)] != bench.wanted
        failed += 1
        bench.memory.faults = {}
        await bench.load(dim, 4)
        bench.ask(3)
        await bench.finish()
    asked = len(bench.memory.monitor.bursts)
    await bench.load(dim, 3, base=(1 << 40) - bench.cfg.embedding.word_bytes)
    bench.ask(0)
    await ClockCycles(dut.clk, 300)
    assert dut.error.value == BAD_WINDOW and len(bench.memory.monitor.bursts) == asked and not bench.sink.queue
    assert failed == 6


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """Another token than was asked for: the comparison objects."""
    bench = Bench(dut, 18)
    await start(dut)
    await bench.load(bench.cfg.max_dim, 3)
    bench.ask(2)
    bench.tokens.queue[0] = dict(token=1)
    with pytest.raises(AssertionError):
        await bench.finish()
    assert bench.sink.received == bench.cfg.max_dim
