"""row_writer: the exponents, the key row and the value row of a position, where the cache's layout has them."""

import random
from dataclasses import replace

import cocotb
import pytest
from cocotb.triggers import FallingEdge

from llama2_myhdl.rtl.cache.head_run import rest_bits
from llama2_myhdl.rtl.cache.row_writer import ports, row_writer
from llama2_myhdl.rtl.quant.exponent import EXPONENT_BITS
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink
from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.cache import EXPONENT_BYTES, layout
from tb.attention.attention_bench import BUILDS

# rows that end within a beat, and rows of one beat
BUS = {"odd": ReadMaster(data_bits=64), "4x2": ReadMaster(data_bits=512, burst=16)}
CASES = [(SIMULATORS[0], "odd"), (SIMULATORS[-1], "4x2")]
BATCHES = 24


def config(build):
    """A build with its cache in memory, long enough for every bit of a position."""
    return replace(BUILDS[build], max_seq=8192, cache=BUS[build])


@pytest.mark.parametrize("sim, build", CASES)
def test_row_writer(sim, build):
    run(row_writer, ports(config(build)), __name__, sim, parameters=dict(build=build), tests=1)


class Rows:
    """Offers rows of keys and values, each kind at its own pace; a key row is one pulse, as is a value row."""

    def __init__(self, dut, cfg, rng):
        self.dut, self.cfg, self.rng = dut, cfg, rng
        dut.key_we.value = dut.value_we.value = 0

    def batch(self, count):
        """So many rows: (unit, head of the unit, position, key, value), a row (mantissas, exponent)."""
        rng, cfg, heads = self.rng, self.cfg, layout(self.cfg).unit_heads
        widths = [cfg.max_head_dim * bits for bits in (cfg.key_bits, cfg.value_bits)]
        return [
            (rng.randrange(cfg.attention_units), rng.randrange(heads),
             rng.choice((0, cfg.max_seq - 1, rng.randrange(cfg.max_seq))),
             *[(rng.getrandbits(width), rng.getrandbits(EXPONENT_BITS)) for width in widths])
            for _ in range(count)
        ]  # fmt: skip

    async def keys(self, rows):
        dut = self.dut
        for _, _, _, (mantissas, exponent), _ in rows:
            await self._pause()
            dut.key_we.value, dut.row.value, dut.exponent.value = 1, mantissas, exponent
            await FallingEdge(dut.clk)
            dut.key_we.value = 0

    async def values(self, rows):
        dut = self.dut
        for unit, head, position, _, (mantissas, exponent) in rows:
            await self._pause()
            dut.value_we.value, dut.base.value, dut.pos.value = 1 << unit, head, position
            dut.value_row.value, dut.value_exponent.value = mantissas, exponent
            await FallingEdge(dut.clk)
            dut.value_we.value = 0

    async def _pause(self):
        while self.rng.random() < 0.4:
            await FallingEdge(self.dut.clk)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_row(dut):
    """Heads and positions at random, the first and the last ones among them; as many rows as may wait, keys before
    values and behind them; a window anywhere; nothing is lost when runs or words have to wait."""
    cfg = config(test_parameters()["build"])
    rng, where, axi = random.Random(6), layout(cfg), cfg.cache
    runs = StreamSink(dut, "m", word=axi.word_address_bits, rest=rest_bits(cfg))
    words = StreamSink(dut, "m_word", data=axi.data_bits, strb=axi.word_bytes)
    rows = Rows(dut, cfg, rng)
    await start(dut)
    waiting, beats = 2 * cfg.max_kv_heads, 1 + where.row_beats
    for number in range(BATCHES):
        first = rng.choice((0, (1 << axi.word_address_bits) - where.beats, rng.getrandbits(axi.word_address_bits - 1)))
        dut.first.value = first
        await FallingEdge(dut.clk)
        runs.pause(rng, number % 3 / 3)
        words.pause(rng, number % 4 / 4)
        batch = rows.batch(waiting)
        sending = [cocotb.start_soon(of(batch)) for of in (rows.keys, rows.values)]
        await runs.wait(2 * waiting)
        await words.wait(beats * waiting)
        for task in sending:
            await task
        for unit, head, position, (key, key_exponent), (value, value_exponent) in batch:
            exponents, place = where.places(unit, head, position)
            assert await runs.recv() == dict(word=first + exponents, rest=0)
            assert await runs.recv() == dict(word=first + place, rest=where.row_beats - 1)
            given, lane = await words.recv(), EXPONENT_BYTES * (position % where.group)
            assert given["strb"] == 3 << lane
            assert given["data"] >> 8 * lane & 0xFFFF == value_exponent << 8 | key_exponent
            joined = value << where.key_bits | key
            for n in range(where.row_beats):
                data = joined >> n * axi.data_bits & (1 << axi.data_bits) - 1
                assert await words.recv() == dict(data=data, strb=(1 << axi.word_bytes) - 1)
        assert not runs.queue and not words.queue
