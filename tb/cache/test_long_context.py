"""Attention with thousands of positions in memory: how much of the bus it uses, and that its values are right."""

import numpy as np
import pytest

from llama2_myhdl.golden.fixed.attention import attend
from llama2_myhdl.rtl.attention.attention import attention, ports
from llama2_myhdl.sim.build import build
from llama2_myhdl.sim.native import NativeSimulator
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.cache import layout
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.errors import NONE
from llama2_myhdl.spec.formats import F_BITS, F_FRAC
from llama2_myhdl.spec.kinds import KEY, QUERY, VALUE
from tb.lanes import packed

pytestmark = pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator compiles the library")

DIM, BASE = 64, 0x12345 << 12
USEFUL = 3 * DIM + 2  # bytes of a position: int16 keys, int8 values, two exponents
PERIOD, PAUSE, LATENCY = 1000, 50, 60  # of the memory: a refresh of 5%, and cycles to a burst's first beat
BAR = 0.95
PATIENCE = 1_000_000  # cycles to the next pair, at most
Q_EXPONENT = 4  # of queries whose softmax is spread over all positions: long sums


class Long:
    """Attention with a memory that holds rows of every position but those at `unwritten`, where it holds noise."""

    def __init__(self, context, data_bits, kv_heads, kv_mul, unwritten=()):
        heads = kv_heads * kv_mul
        sizes = dict(max_dim=heads * DIM, max_hidden=DIM, max_layers=1, max_heads=heads, max_kv_heads=kv_heads)
        sides = dict(max_head_dim=DIM, max_vocab=64, max_seq=context, attention_queries=kv_mul, list_entries=0)
        self.cfg = BuildConfig(**sizes, **sides, cache=ReadMaster(data_bits=data_bits))
        self.kv_heads, self.kv_mul, self.rng = kv_heads, kv_mul, np.random.default_rng(5)
        rows = (context, DIM)
        self.rows = [
            (
                self.rng.integers(-(1 << 14), 1 << 14, rows),
                self.rng.integers(2, 6, context),
                self.rng.integers(-127, 128, rows),
                self.rng.integers(8, 15, context),
            )
            for _ in range(kv_heads)
        ]
        built = build(attention, ports(self.cfg), "verilator", library=True)
        self.sim = NativeSimulator(built.file, built.top)
        self.memory = self.sim.memory("m_axi", self.cfg.cache, 1, seed=3, writes=True)
        self.memory.behave(latency=(LATENCY, LATENCY), refresh=(PERIOD, PAUSE))
        self.memory.fill({BASE: self._image(set(unwritten))})
        fields = ("data", "exponent", "tag", "last")
        self.s, self.s_value = self.sim.source("s", fields), self.sim.source("s_value", fields)
        self.begun = self.sim.recorder(["s_tag"], "s")
        self.pairs = self.sim.recorder(["m_data", "m_second"], "m", wakes=True)
        shape = dict(head_dim=DIM, kv_mul=kv_mul, n_kv_heads=kv_heads, layer=0, seq=0)
        self.sim.set(rst=1, m_ready=1, memory_enable=1, memory_base=BASE, **shape)
        self.sim.run(4)
        self.sim.set(rst=0)

    def _image(self, unwritten):
        """The cache by the definition of its layout."""
        where, size = layout(self.cfg), self.cfg.cache.word_bytes
        image = self.rng.integers(0, 256, (where.beats, size), np.uint8)
        for head, (keys, key_exponents, values, value_exponents) in enumerate(self.rows):
            lanes = [keys.astype("<i2").view(np.uint8).reshape(len(keys), -1), values.astype(np.int8).view(np.uint8)]
            lanes.append(np.zeros((len(keys), where.row_beats * size - 3 * DIM), np.uint8))
            data = np.concatenate(lanes, axis=1).reshape(len(keys), where.row_beats, size)
            for position in set(range(len(keys))) - unwritten:
                exponents, row = where.places(0, head, position)
                image[row : row + where.row_beats] = data[position]
                place = 2 * (position % where.group)
                image[exponents, place : place + 2] = key_exponents[position], value_exponents[position]
        return image.tobytes()

    def token(self, pos):
        """One token at a position: (cycles without those of refresh from its first row to its last pair, rms error
        against float as a share of the rms of what float says). Every element is compared with the integer model."""
        self.sim.set(pos=pos)
        queries = self.rng.integers(-(1 << 14), 1 << 14, (self.kv_heads, self.kv_mul, DIM))
        keys, values = [], []
        for k, ke, v, ve in self.rows:
            keys.append(dict(data=packed(k[pos].tolist(), 16), exponent=int(ke[pos]), tag=KEY))
            values.append(dict(data=packed(v[pos].tolist(), 8), exponent=int(ve[pos]), tag=VALUE))
        asked = [dict(data=packed(q.tolist(), 16), exponent=Q_EXPONENT, tag=QUERY) for head in queries for q in head]
        for source, sent in ((self.s, keys + asked), (self.s_value, values)):
            for row in sent:
                source.send(last=1, **row)
        refreshed, wanted, got = self.memory.seen("refreshed"), self.kv_heads * self.kv_mul * DIM // 2, []
        while len(got) < wanted:
            self.sim.run(PATIENCE)
            pairs = self.pairs.take().tolist()
            assert pairs and self.sim.get("memory_error") == NONE
            got += pairs
        refreshed = self.memory.seen("refreshed") - refreshed
        outputs = [x - (x >> F_BITS - 1 << F_BITS) for _, *pair in got for x in pair]
        golden, real = [], []
        for (k, ke, v, ve), head in zip([[part[: pos + 1] for part in rows] for rows in self.rows], queries):
            for q in head:
                golden += attend(q, Q_EXPONENT, k, ke, v, ve, self.cfg.p_frac).tolist()
                weights = 2.0 ** ((k @ q) * 2.0 ** (Q_EXPONENT + ke - 2 * F_FRAC))
                real += ((weights * 2.0 ** (ve - F_FRAC)) @ v / weights.sum()).tolist()
        assert outputs == golden
        error = np.array(outputs) / 2**F_FRAC - real
        cycles = got[-1][0] - self.begun.take()[0][0] - refreshed
        return cycles, float(np.sqrt(np.mean(error**2) / np.mean(np.square(real))))


@pytest.mark.parametrize("position", [1024, pytest.param(4096, marks=pytest.mark.bus)])
def test_share_of_the_roofline(position):
    """Eight query heads on two, from a token's first row to its last pair; refresh is taken out."""
    bench = Long(8192, 128, kv_heads=2, kv_mul=4)
    with bench.sim:
        cycles, _ = bench.token(position)
        assert bench.memory.seen("refreshed") > PAUSE
    share = bench.kv_heads * position * USEFUL / bench.cfg.cache.word_bytes / cycles
    print(f"position {position}: {cycles} cycles, {share:.2%} of the roofline")
    assert BAR <= share <= 1


@pytest.mark.bus
@pytest.mark.parametrize("first, last", [(16_384, 16_400), (32_760, 32_767)])
def test_long_context(first, last):
    """Bit-exact, the rows of the tokens before read from where the hardware has written them; the error against float
    is at most twice that at position 256."""
    positions = range(first, last + 1)
    bench = Long(32_768, 512, kv_heads=1, kv_mul=2, unwritten=positions)
    with bench.sim:
        _, near = bench.token(256)
        errors = [bench.token(pos)[1] for pos in positions]
    print(f"error at 256: {near:.2e}; from {first} on: {min(errors):.2e} to {max(errors):.2e}")
    assert max(errors) <= 2 * near
