"""A bench for attention: tokens of any shape and kind, and the golden cache that says what comes of them."""

import random
from collections import defaultdict
from dataclasses import replace

import numpy as np
from cocotb.triggers import ClockCycles

from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.golden.fixed.attention import attend
from llama2_myhdl.rtl.attention.attention import latency
from llama2_myhdl.rtl.quant.exponent import EXPONENT_BITS
from llama2_myhdl.sim.clock import at_every_edge
from llama2_myhdl.sim.streams import StreamSink, StreamSource, reader
from llama2_myhdl.spec.kinds import KEY, KIND_BITS, QUERY, VALUE
from llama2_myhdl.spec.presets import PRESETS
from tb.bench import Bench
from tb.lanes import packed, row

LAYERS = 2
# head_dim, kv_mul, n_kv_heads
SHAPES = [(4, 1, 8), (8, 2, 4), (16, 2, 4), (16, 8, 1), (10, 4, 2), (16, 1, 3), (6, 3, 2), (4, 1, 5), (6, 2, 4),
          (2, 3, 3), (6, 1, 1), (4, 4, 2), (4, 2, 2), (2, 2, 1)]
KINDS = ["random", "max", "min", "growing", "falling", "zero", "exponents"]

_BASE = replace(PRESETS["default"].build, max_layers=LAYERS, max_seq=64)
BUILDS = {f"{u}x{g}": replace(_BASE, attention_units=u, attention_queries=g) for u, g in ((1, 1), (2, 2), (4, 2))}
BUILDS["2x2"] = replace(BUILDS["2x2"], sequences=2)
# nothing a power of two, narrow rows, more fraction bits in a weight, several sequences
BUILDS["odd"] = replace(_BASE, max_head_dim=6, max_heads=9, max_kv_heads=5, attention_units=3, attention_queries=3,
                        act_bits=8, key_bits=8, max_layers=3, max_seq=1024, sequences=2)
BUILDS["nano"] = PRESETS["nano"].build
ORDERS = ("late", "mixed", "early")  # of the value rows, against the query rows


def shapes(cfg):
    """The shapes that fit a build."""
    return [(dim, mul, kv) for dim, mul, kv in SHAPES
            if dim <= cfg.max_head_dim and mul * kv <= cfg.max_heads and kv <= cfg.max_kv_heads]


def head_row(rng, kind, role, pos, dim, bits):
    """Mantissas and exponent of one head row; growing: every score is above all before it, and so are the exponents."""
    drop = 0 if role == VALUE else 16 - bits  # the levels of keys and queries are those of 16 bits
    top = 24 if role == VALUE else 16 + drop
    if kind == "growing":
        level = {KEY: 150 * (pos + 1), VALUE: rng.randint(-128, 127), QUERY: 4000}[role]
        return [level >> drop] * dim, {KEY: 9 + drop, VALUE: min(pos, top), QUERY: 10 + drop}[role]
    if kind == "falling":
        level = {KEY: 7000 - 150 * pos, VALUE: rng.randint(-128, 127), QUERY: 4000}[role]
        return [level >> drop] * dim, {KEY: 9 + drop, VALUE: max(top - pos, 0), QUERY: 10 + drop}[role]
    if kind == "exponents":
        return row(rng, "random", dim, bits), rng.choice((0, top, rng.randint(0, top)))
    if kind == "clipped":
        return row(rng, "max", dim, bits), top + (role == VALUE)
    if kind == "random":
        return row(rng, "random", dim, bits), rng.randint(2, 5) if role != VALUE else rng.randint(8, 14)
    return row(rng, kind, dim, bits), rng.randint(0, top)


class AttentionBench(Bench):
    """Drives tokens of one shape and keeps the golden cache."""

    def __init__(self, dut, cfg):
        super().__init__(dut, random.Random(1))
        self.cfg, self.data = cfg, random.Random(1)  # of its own: what rows there are does not hang on the traffic
        beside = dict(exponent=EXPONENT_BITS, tag=KIND_BITS, last=1)
        self.source = StreamSource(dut, "s", data=cfg.max_head_dim * cfg.act_bits, **beside)
        self.values = StreamSource(dut, "s_value", data=cfg.max_head_dim * cfg.value_bits, **beside)
        self.sink = StreamSink(dut, "m", data=-cfg.f_bits, second=-cfg.f_bits, last=1)
        self.ports = self.source, self.values, self.sink
        self.stats, self.compared = Tally(), 0
        self.moments = {"s": [], "s_value": [], "m": []}  # of the transfers at each port, in cycles
        self._handshakes = {port: [reader(getattr(dut, f"{port}_{name}")) for name in ("valid", "ready")]
                            for port in self.moments}
        self._rst, self._busy, self._last = map(reader, (dut.rst, dut.busy, dut.m_last))
        self._cycle, self._inside = 0, None  # a token is inside: not known before the reset
        at_every_edge(dut.clk, self._watch)

    def _watch(self):
        """Moments of transfers, and `busy` from a token's first to its last pair."""
        moved = [port for port, pins in self._handshakes.items() if all(read() == "1" for read in pins)]
        for port in moved:
            self.moments[port].append(self._cycle)
        if self._rst() != "0":
            self._inside = False
        elif self._inside is not None:
            busy = self._busy()
            assert busy == str(int(self._inside)), f"busy is {busy} in cycle {self._cycle}"
            ends = "m" in moved and self._last() == "1"
            self._inside = bool({"s", "s_value"} & set(moved)) or self._inside and not ends
        self._cycle += 1

    def delays(self, port, row, pairs):
        """Cycles from the transfer number `row` at a port to those of the last so many pairs; forgets them all."""
        begin = self.moments[port][row]
        found = [moment - begin for moment in self.moments["m"][-pairs:]]
        for port in self.moments:
            self.moments[port].clear()
        return found

    def shape(self, head_dim, kv_mul, n_kv_heads):
        """Set the shape and forget the caches."""
        self.dim, self.kv_mul, self.kv_heads = head_dim, kv_mul, n_kv_heads
        for name, value in (("head_dim", head_dim), ("kv_mul", kv_mul), ("n_kv_heads", n_kv_heads)):
            getattr(self.dut, name).value = value
        self.cache = defaultdict(list)

    def token(self, seq, layer, pos, kind):
        """(rows for s, rows for s_value, golden outputs head after head) of one token, whose place is set."""
        for name, value in (("seq", seq), ("layer", layer), ("pos", pos)):
            getattr(self.dut, name).value = value
        rows, values, wanted = [], [], []
        for role, bits, sent, lane in ((KEY, self.cfg.key_bits, rows, self.cfg.act_bits),
                                       (VALUE, self.cfg.value_bits, values, self.cfg.value_bits)):
            for h in range(self.kv_heads):
                mantissas, exponent = head_row(self.data, kind, role, pos, self.dim, bits)
                self.cache[role, seq, layer, h].append((mantissas, exponent))
                sent.append(dict(data=packed(mantissas, lane), exponent=exponent, tag=role, last=1))
        for h in range(self.kv_heads):
            (k, ke), (v, ve) = [zip(*self.cache[role, seq, layer, h]) for role in (KEY, VALUE)]
            for _ in range(self.kv_mul):
                q, qe = head_row(self.data, kind, QUERY, pos, self.dim, self.cfg.act_bits)
                rows.append(dict(data=packed(q, self.cfg.act_bits), exponent=qe, tag=QUERY, last=1))
                wanted += attend(np.array(q), qe, np.array(k), np.array(ke), np.array(v), ve, self.cfg.p_frac,
                                 self.stats).tolist()
        return rows, values, wanted

    async def send(self, rows, values, order):
        """The value rows come before the others, after them, or at the same time."""
        if order == "early":
            await self.values.send(*values)
        self.source.send_nowait(*rows)
        if order == "late":
            await self.source.wait()
            await ClockCycles(self.dut.clk, self.rng.randint(1, 60))
        if order != "early":
            self.values.send_nowait(*values)

    async def check(self, wanted):
        """Wait for a token's output and compare all of it."""
        await self.sink.wait(len(wanted) // 2)
        got = [self.sink.queue.popleft() for _ in wanted[::2]]
        assert [x for item in got for x in (item["data"], item["second"])] == wanted
        assert [item["last"] for item in got] == [0] * (len(got) - 1) + [1]
        self.compared += len(wanted)

    async def sequence(self, positions, kind):
        for pos in range(positions):
            for layer in range(LAYERS):
                for seq in range(self.cfg.sequences):
                    rows, values, wanted = self.token(seq, layer, pos, kind)
                    await self.send(rows, values, self.rng.choice(ORDERS))
                    await self.check(wanted)

    async def finish(self):
        """Nothing more comes out, the block is idle, and every clipped value was counted.

        The wait is longer than one pass more at the last position would take to its last pair, and than the pulses that
        may come late.
        """
        longest = max(len(rows) for rows in self.cache.values())
        late = max(0, self.stats.count - self.pulses)
        await ClockCycles(self.dut.clk, 2 * latency(self.cfg) + longest + self.dim + late)
        assert not self.sink.queue and not self.dut.busy.value
        assert self.pulses == self.stats.count
