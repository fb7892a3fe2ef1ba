"""attention against golden.fixed.attention, element for element, over tokens that fill the cache of two layers."""

from itertools import product

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.attention.attention import VALUE_LATENCY, attention, latency, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from tb.attention.attention_bench import BUILDS, KINDS, LAYERS, AttentionBench, shapes

LONG = (("random", "growing", "exponents"), ("min", "falling"))  # the kinds that run over many positions, by round
STEPS = 32  # key rows of a token: more than an attention unit's keys may be ahead of its values


@pytest.mark.long_runs
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_attention(sim, build):
    # Icarus is some 50 times slower
    effort = dict(icarus=dict(long=6, short=2, rounds=1, timed=3), verilator=dict(long=41, short=5, rounds=2, timed=22))
    run(attention, ports(BUILDS[build]), __name__, sim, parameters=dict(effort[sim], build=build), tests=8)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def shapes_and_extremes(dut):
    """Every shape in one build; the kinds of rows take turns; random idle and back-pressure."""
    p = test_parameters()
    cfg = BUILDS[p["build"]]
    tb = AttentionBench(dut, cfg)
    await tb.start()
    values, fitting = 0, shapes(cfg)
    for n, (turn, kind) in enumerate(product(range(p["rounds"]), KINDS)):
        shape = fitting[(n + turn) % len(fitting)]
        positions = min(p["long" if kind in LONG[turn] else "short"], cfg.max_seq)
        tb.pause(*((0, 0, 0), (0.3, 0.9, 0.6), (0.7, 0.3, 0.2))[n % 3])
        tb.shape(*shape)
        await tb.sequence(positions, kind)
        values += positions * LAYERS * cfg.sequences * shape[0] * shape[1] * shape[2]
    await tb.finish()
    assert tb.compared == 2 * tb.sink.received == values
    assert tb.stats.count > 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def latency_and_cycles_a_pass(dut):
    """First pair after latency + pos cycles; then a pass every max(pos + 1, head_dim / 2) cycles, a pair a cycle."""
    p = test_parameters()
    cfg = BUILDS[p["build"]]
    tb = AttentionBench(dut, cfg)
    dim, heads, positions = min(cfg.max_head_dim, 8), min(cfg.max_heads, 8), min(p["timed"], cfg.max_seq)
    queries, half = min(cfg.attention_queries, heads), dim // 2
    tb.shape(dim, heads, 1)  # all heads in one unit
    await tb.start()
    checked = 0
    for pos, layer in product(range(positions), range(LAYERS)):
        rows, values, wanted = tb.token(0, layer, pos, "random")
        await tb.send(rows, values, "early")
        await tb.check(wanted)
        free, expected = 0, []
        for h in range(heads):
            done = latency(cfg) + pos + max(pos + 1, half) * (h // queries)
            for i in range(half):
                free = max(free, done + i)
                expected.append(free)
                free += 1
        assert tb.delays("s", queries, len(expected)) == expected
        checked += 1
    await tb.finish()
    assert checked == positions * LAYERS and tb.compared == checked * heads * dim


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def latency_from_the_value_row(dut):
    """VALUE_LATENCY cycles from the last value row to the first pair of its heads, at any position."""
    p = test_parameters()
    cfg = BUILDS[p["build"]]
    tb = AttentionBench(dut, cfg)
    kv_heads = min(cfg.attention_units, cfg.max_kv_heads)
    dim, kv_mul = 2, min(cfg.attention_queries, cfg.max_heads // kv_heads)
    tb.shape(dim, kv_mul, kv_heads)  # one pass a unit
    await tb.start()
    for pos in range(min(p["timed"], cfg.max_seq)):
        rows, values, wanted = tb.token(0, 0, pos, "random")
        await tb.source.send(*rows)
        await ClockCycles(dut.clk, latency(cfg) + pos)
        assert tb.sink.received * 2 == tb.compared
        tb.values.send_nowait(*values)
        await tb.check(wanted)
        free, expected = 0, []
        for unit in range(kv_heads):  # a value row a cycle, a pair a cycle
            for _ in range(kv_mul):
                free = max(free + 1, VALUE_LATENCY + unit)
                expected.append(free)
        assert tb.delays("s_value", 0, len(expected)) == expected
    await tb.finish()
    assert tb.compared == (pos + 1) * dim * kv_mul * kv_heads > 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_query_is_clipped(dut):
    """All heads of all units have a score that is too large, and elements that are: each counts."""
    cfg = BUILDS[test_parameters()["build"]]
    tb = AttentionBench(dut, cfg)
    kv_mul, kv_heads = cfg.attention_queries, min(cfg.attention_units, cfg.max_kv_heads)
    tb.shape(cfg.max_head_dim, kv_mul, kv_heads)
    await tb.start()
    await tb.sequence(1, "clipped")
    await tb.finish()
    assert tb.stats.count == LAYERS * cfg.sequences * kv_mul * kv_heads * (1 + cfg.max_head_dim)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_value_row_is_long_in_coming(dut):
    """The keys run ahead until there is room for no more steps, and all of them count when the value row is there."""
    cfg = BUILDS[test_parameters()["build"]]
    tb = AttentionBench(dut, cfg)
    heads = cfg.max_heads
    passes = -(-heads // cfg.attention_queries)
    tb.shape(2, heads, 1)  # all heads in one unit
    await tb.start()
    for pos in range(min(STEPS // passes + 1, cfg.max_seq)):
        rows, values, wanted = tb.token(0, 0, pos, "growing")
        await tb.source.send(*rows)
        await ClockCycles(dut.clk, latency(cfg) + passes * (pos + 1))
        assert 2 * tb.sink.received == tb.compared
        tb.values.send_nowait(*values)
        await tb.check(wanted)
    await tb.finish()
    assert tb.compared == (pos + 1) * heads * 2


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def reset_within_a_token(dut):
    """Whatever a reset interrupts, the tokens after it come out right."""
    tb = AttentionBench(dut, BUILDS[test_parameters()["build"]])
    await tb.start()
    fitting = shapes(tb.cfg)
    for delay in range(0, 60, 7):
        tb.shape(*fitting[delay % len(fitting)])
        rows, values, _ = tb.token(0, 0, 0, "random")
        await tb.send(rows, values if delay % 4 else values[1:], "early")
        await tb.source.wait()
        await ClockCycles(dut.clk, delay + 1)
        dut.rst.value = 1
        await ClockCycles(dut.clk, 3)
        dut.rst.value = 0
        tb.sink.queue.clear()
        tb.shape(tb.dim, tb.kv_mul, tb.kv_heads)
        await tb.sequence(2, "random")
    await ClockCycles(dut.clk, 100)
    assert tb.compared > 0 and not tb.sink.queue and not dut.busy.value


@cocotb.test(timeout_time=1, timeout_unit="ms", expect_fail=True)
async def wrong_value_is_seen(dut):
    """The scoreboard can fail: one golden value is changed by one unit in the last place."""
    tb = AttentionBench(dut, BUILDS[test_parameters()["build"]])
    tb.shape(4, 2, 1)
    await tb.start()
    rows, values, wanted = tb.token(0, 0, 0, "random")
    await tb.send(rows, values, "late")
    wanted[7] += 1
    await tb.check(wanted)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def surplus_is_seen(dut):
    """`finish` waits long enough: the pairs of a token that nobody waited for are there, and it objects."""
    tb = AttentionBench(dut, BUILDS[test_parameters()["build"]])
    tb.shape(4, 2, 1)
    await tb.start()
    for pos in range(4):
        rows, values, wanted = tb.token(0, 0, pos, "random")
        await tb.send(rows, values, "early")
        if pos < 3:
            await tb.check(wanted)
    await tb.source.wait()
    with pytest.raises(AssertionError):
        await tb.finish()
    assert len(tb.sink.queue) == len(wanted) // 2
