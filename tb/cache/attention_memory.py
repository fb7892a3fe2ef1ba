"""Attention before a memory: its bench, with what lies in memory and what watches the bus."""

import random

from cocotb.triggers import RisingEdge

from llama2_myhdl.sim.axi_memory import ReadMemory
from llama2_myhdl.sim.axi_writes import WriteMemory
from llama2_myhdl.spec.axi import PAGE
from llama2_myhdl.spec.cache import layout
from llama2_myhdl.spec.errors import NONE
from llama2_myhdl.spec.kinds import VALUE
from tb.attention.attention_bench import AttentionBench

QUIET = 40  # cycles without a burst after which none comes


class MemoryBench(AttentionBench):
    """AttentionBench with a cache in memory, which holds noise at first, in pages anywhere, from `base`; reads and
    writes are told apart by `reads`, `writes`."""

    def __init__(self, dut, cfg, seed):
        super().__init__(dut, cfg)
        rng = random.Random(seed)
        self.layout = layout(cfg)
        size, end = self.layout.beats * cfg.cache.word_bytes, 1 << cfg.cache.address_bits
        self.base = PAGE * rng.randrange((end - size) // PAGE)
        self.reads = ReadMemory(dut, "m_axi", cfg.cache, cfg.attention_units, rng)
        self.writes = WriteMemory(dut, "m_axi", cfg.cache, self.reads.contents, rng)
        self.reads.put(self.base, rng.randbytes(size))
        dut.memory_base.value, dut.memory_enable.value = self.base, 1

    def trouble(self, latency, stalls, refresh=None):
        """Both memories: (low, high) cycles, probability of a pause of each channel, refresh of reads."""
        self.reads.latency, self.writes.latency, self.reads.refresh = latency, latency, refresh
        self.reads.stalls = dict(ar=stalls, r=stalls)
        self.writes.stalls = dict(aw=stalls, w=stalls, b=stalls)

    async def quiet(self, limit=20000):
        """Wait until nothing is under way; that is so within the limit, or it hangs."""
        still = 0
        for _ in range(limit):
            await RisingEdge(self.dut.clk)
            still = 0 if self.dut.memory_busy.value == 1 else still + 1
            if still == QUIET:
                break
        else:
            raise AssertionError(f"bursts are under way after {limit} cycles")
        self.reads.monitor.finish()
        self.writes.monitor.finish()

    async def finish(self):
        await super().finish()
        await self.quiet()
        assert self.dut.memory_error.value == NONE

    def compare_memory(self) -> int:
        """All rows that were written lie where the layout says, exponents too; returns how many."""
        for (role, seq, layer, head), rows in self.cache.items():
            for pos, wanted in enumerate(rows):
                assert self._row(role, seq, layer, head, pos) == wanted, (role, seq, layer, head, pos)
        return sum(map(len, self.cache.values()))

    def _row(self, role, seq, layer, head, pos):
        """Mantissas and exponent of a row, as the memory has them."""
        value = role == VALUE
        place, unit = divmod(head, self.cfg.attention_units)
        of_unit = (place * self.cfg.max_layers + layer) * self.cfg.sequences + seq
        exponents, first = self.layout.places(unit, of_unit, pos)
        exponent = self._word(exponents) >> 8 * (2 * (pos % self.layout.group) + value) & 0xFF
        bits = self.cfg.cache.data_bits
        data = sum(self._word(first + k) << k * bits for k in range(self.layout.row_beats))
        skip, lane = (self.layout.key_bits, self.cfg.value_bits) if value else (0, self.cfg.key_bits)
        lanes = [data >> skip + k * lane & (1 << lane) - 1 for k in range(self.dim)]
        return [x - (x >> lane - 1 << lane) for x in lanes], exponent

    def _word(self, beat):
        size = self.cfg.cache.word_bytes
        return self.reads.contents.word(self.base + beat * size, size)
