"""attention against golden.fixed.attention, element for element, over tokens that fill the cache of two layers."""
import random
from dataclasses import replace
from itertools import product

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from golden.fixed.arith import Saturations
from golden.fixed.attention import attend
from rtl.attention.attention import attention, latency
from rtl.attention.sequencer import INTERVAL
from rtl.config import PRESETS, clog2
from rtl.layer.kinds import KEY, KIND_BITS, QUERY, VALUE
from rtl.stream.stream import Stream, bit, sint, uint
from tb.attention.rows import packed, row
from tb.clock import start
from tb.runner import SIMULATORS, run, test_parameters
from tb.stream.drivers import StreamSink, StreamSource

LAYERS = 2
EXP_BITS = 5
# head_dim, kv_mul, n_kv_heads
SHAPES = [(4, 1, 8), (8, 2, 4), (16, 2, 4), (16, 8, 1), (10, 4, 2), (16, 1, 3), (6, 3, 2), (4, 1, 5), (6, 2, 4),
          (2, 3, 3), (6, 1, 1), (4, 4, 2), (4, 2, 2), (2, 2, 1)]
KINDS = ["random", "max", "min", "growing", "falling", "zero", "exponents"]
LONG = (("random", "growing", "exponents"), ("min", "falling"))  # the kinds that run over many positions, by round


_BASE = replace(PRESETS["default"].build, max_layers=LAYERS, max_seq=64)
BUILDS = {f"units{u}": replace(_BASE, attention_units=u) for u in (1, 2, 4)}
# nothing a power of two, narrow keys, more fraction bits in a weight
BUILDS["odd"] = replace(_BASE, max_head_dim=6, max_heads=9, max_kv_heads=5, attention_units=3, key_bits=12,
                        max_layers=3, max_seq=1024)
BUILDS["nano"] = PRESETS["nano"].build


def shapes(cfg):
    """The shapes that fit a build."""
    return [(dim, mul, kv) for dim, mul, kv in SHAPES
            if dim <= cfg.max_head_dim and mul * kv <= cfg.max_heads and kv <= cfg.max_kv_heads]


def arguments(CFG):
    """Ports of the block with the widths of a build."""
    return dict(
        clk=bit(), rst=bit(),
        s=Stream(data=uint(CFG.max_head_dim * CFG.act_bits), exponent=uint(EXP_BITS), tag=uint(KIND_BITS), last=bit()),
        m=Stream(data=sint(CFG.f_bits), tag=uint(KIND_BITS), last=bit()),
        layer=uint(clog2(CFG.max_layers)), pos=uint(CFG.pos_bits), head_dim=uint(clog2(CFG.max_head_dim + 1)),
        kv_mul=uint(clog2(CFG.max_heads + 1)), n_kv_heads=uint(clog2(CFG.max_kv_heads + 1)),
        saturated=bit(), busy=bit(), CFG=CFG)


def head_row(rng, kind, role, pos, dim, bits):
    """Mantissas and exponent of one head row; growing: every score is above all before it, and so are the exponents."""
    top = 24 if role == VALUE else 16
    if kind == "growing":
        level = {KEY: 150 * (pos + 1), VALUE: rng.randint(-128, 127), QUERY: 4000}[role]
        return [level >> (16 - bits if role == KEY else 0)] * dim, {KEY: 9, VALUE: min(pos, top), QUERY: 10}[role]
    if kind == "falling":
        level = {KEY: 7000 - 150 * pos, VALUE: rng.randint(-128, 127), QUERY: 4000}[role]
        return [level >> (16 - bits if role == KEY else 0)] * dim, {KEY: 9, VALUE: max(top - pos, 0), QUERY: 10}[role]
    if kind == "exponents":
        return row(rng, "random", dim, bits), rng.choice((0, top, rng.randint(0, top)))
    if kind == "random":
        return row(rng, "random", dim, bits), rng.randint(2, 5) if role != VALUE else rng.randint(8, 14)
    return row(rng, kind, dim, bits), rng.randint(0, top)


class TB:
    """Drives tokens of one shape and keeps the golden cache."""

    def __init__(self, dut, cfg, seed=1):
        self.dut, self.cfg, self.rng = dut, cfg, random.Random(seed)
        self.source = StreamSource(dut, "s", data=cfg.max_head_dim * cfg.act_bits, exponent=EXP_BITS, tag=KIND_BITS,
                                   last=1)
        self.sink = StreamSink(dut, "m", data=-cfg.f_bits, tag=KIND_BITS, last=1)
        self.stats, self.pulses, self.compared = Saturations(), 0, 0
        cocotb.start_soon(self._count_pulses())

    async def _count_pulses(self):
        while True:
            await RisingEdge(self.dut.clk)
            self.pulses += str(self.dut.saturated.value) == "1"

    def shape(self, head_dim, kv_mul, n_kv_heads):
        """Set the shape and forget the cache."""
        self.dim, self.kv_mul, self.kv_heads = head_dim, kv_mul, n_kv_heads
        for name, value in (("head_dim", head_dim), ("kv_mul", kv_mul), ("n_kv_heads", n_kv_heads)):
            getattr(self.dut, name).value = value
        heads = [[[] for _ in range(n_kv_heads)] for _ in range(LAYERS)]
        self.cache = {role: [[list(h) for h in layer] for layer in heads] for role in (KEY, VALUE)}

    def payload(self, role, mantissas, exponent):
        bits = self.cfg.act_bits
        return dict(data=packed(mantissas, bits), exponent=exponent, tag=role, last=1)

    def token(self, layer, pos, kind):
        """Queue the rows of one token; returns the golden outputs, head after head."""
        self.dut.layer.value, self.dut.pos.value = layer, pos
        for role, bits in ((KEY, self.cfg.key_bits), (VALUE, self.cfg.value_bits)):
            for h in range(self.kv_heads):
                mantissas, exponent = head_row(self.rng, kind, role, pos, self.dim, bits)
                self.cache[role][layer][h].append((mantissas, exponent))
                self.source.send_nowait(self.payload(role, mantissas, exponent))
        wanted = []
        for h in range(self.kv_heads):
            k, ke = zip(*self.cache[KEY][layer][h])
            v, ve = zip(*self.cache[VALUE][layer][h])
            for _ in range(self.kv_mul):
                q, qe = head_row(self.rng, kind, QUERY, pos, self.dim, self.cfg.act_bits)
                self.source.send_nowait(self.payload(QUERY, q, qe))
                wanted += attend(np.array(q), qe, np.array(k), np.array(ke), np.array(v), ve, self.cfg.p_frac,
                                 self.stats).tolist()
        return wanted

    async def check(self, wanted):
        """Wait for a token's output and compare all of it."""
        await self.sink.wait(len(wanted))
        got = [self.sink.queue.popleft() for _ in wanted]
        assert [item["data"] for item in got] == wanted
        assert {item["tag"] for item in got} == {QUERY}
        assert [item["last"] for item in got] == [0] * (len(wanted) - 1) + [1]
        self.compared += len(wanted)

    async def sequence(self, positions, kind):
        for pos in range(positions):
            for layer in range(LAYERS):
                await self.check(self.token(layer, pos, kind))

    async def finish(self):
        """Nothing more comes out, the block is idle, and every clipped value was counted."""
        await ClockCycles(self.dut.clk, 2000)
        assert not self.sink.queue and not self.dut.busy.value
        assert self.pulses == self.stats.count


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_attention(sim, build):
    # Icarus is some 50 times slower
    effort = dict(icarus=dict(long=6, short=2, rounds=1, timed=3), verilator=dict(long=41, short=5, rounds=2, timed=22))
    run(attention, arguments(BUILDS[build]), __name__, sim, parameters=dict(effort[sim], build=build), tests=3)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def shapes_and_extremes(dut):
    """Every shape in one build; the kinds of rows take turns; random idle and back-pressure."""
    p = test_parameters()
    cfg = BUILDS[p["build"]]
    tb = TB(dut, cfg)
    await start(dut)
    values, fitting = 0, shapes(cfg)
    for n, (turn, kind) in enumerate(product(range(p["rounds"]), KINDS)):
        shape = fitting[(n + turn) % len(fitting)]
        positions = min(p["long" if kind in LONG[turn] else "short"], cfg.max_seq)
        tb.source.pause(tb.rng, (0, 0.3, 0.7)[n % 3])
        tb.sink.pause(tb.rng, (0, 0.6, 0.2)[n % 3])
        tb.shape(*shape)
        await tb.sequence(positions, kind)
        values += positions * LAYERS * shape[0] * shape[1] * shape[2]
    await tb.finish()
    assert tb.compared == tb.sink.received == values
    assert tb.stats.count > 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def latency_and_cycles_a_head(dut):
    """First element after latency + pos cycles; then one head every max(pos + 1, head_dim, INTERVAL) cycles."""
    p = test_parameters()
    cfg = BUILDS[p["build"]]
    tb = TB(dut, cfg)
    dim, heads, positions = min(cfg.max_head_dim, 8), min(cfg.max_heads, 8), min(p["timed"], cfg.max_seq)
    tb.shape(dim, heads, 1)  # all heads in one unit
    await start(dut)
    checked = 0
    for pos in range(positions):
        for layer in range(LAYERS):
            before, wanted = tb.sink.received, tb.token(layer, pos, "random")
            while tb.source.sent % (heads + 2) != 3:
                await RisingEdge(dut.clk)
            cycles, moments = 0, []
            while tb.sink.received < before + len(wanted):
                await RisingEdge(dut.clk)
                cycles += 1
                if tb.sink.received > before + len(moments):
                    moments.append(cycles)
            assert moments[0] == latency(cfg) + pos
            interval = max(pos + 1, dim, INTERVAL)
            assert moments == [moments[0] + interval * h + i for h in range(heads) for i in range(dim)]
            checked += 1
            await tb.check(wanted)
    await tb.finish()
    assert checked == positions * LAYERS and tb.compared == checked * heads * dim


@cocotb.test(timeout_time=1, timeout_unit="ms", expect_fail=True)
async def wrong_value_is_seen(dut):
    """The scoreboard can fail: one golden value is changed by one unit in the last place."""
    tb = TB(dut, BUILDS[test_parameters()["build"]])
    tb.shape(4, 2, 1)
    await start(dut)
    wanted = tb.token(0, 0, "random")
    wanted[7] += 1
    await tb.check(wanted)
