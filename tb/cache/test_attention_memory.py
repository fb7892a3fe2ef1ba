"""Attention with keys and values in memory: what it says on the chip, at any pace of the memory; errors stop it."""

from dataclasses import replace
from itertools import product

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.attention.attention import attention, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.axi import DECERR, SLVERR, ReadMaster
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.errors import (
    BAD_WINDOW,
    DECODE_ERROR,
    NONE,
    SLAVE_ERROR,
    WRITE_DECODE_ERROR,
    WRITE_SLAVE_ERROR,
)
from tb.attention.attention_bench import BUILDS as ON_CHIP
from tb.attention.attention_bench import KINDS, LAYERS, ORDERS, shapes
from tb.cache.attention_memory import MemoryBench

SMALL = dict(burst=16, depth=64, outstanding=4)
# rows of several beats, of one; groups longer than a sequence, and shorter; one unit and several, several sequences
BUILDS = {
    "1x1-64": replace(ON_CHIP["1x1"], cache=ReadMaster(data_bits=64, **SMALL)),
    "2x2-128": replace(ON_CHIP["2x2"], sequences=1, cache=ReadMaster(data_bits=128, **SMALL)),
    "odd-128": replace(ON_CHIP["odd"], cache=ReadMaster(data_bits=128, **SMALL)),
    "4x2-512": replace(ON_CHIP["4x2"], cache=ReadMaster(data_bits=512, **SMALL)),
}
TROUBLES = (((1, 1), 0.0, None), ((1, 120), 0.3, (200, 20)), ((300, 900), 0.1, None))


# a beat for each row's part, and several units and sequences at once; the others take a minute more, and run in
# `make test-all` alone
MOST = ("1x1-64", "odd-128")
SMALLEST = "1x1-64"


@pytest.mark.parametrize("build", [n if n in MOST else pytest.param(n, marks=pytest.mark.bus) for n in BUILDS])
@pytest.mark.parametrize("sim", SIMULATORS[-1:])
def test_attention_in_memory(sim, build):
    run(attention, ports(BUILDS[build]), __name__, sim, parameters=dict(build=build, long=15, short=3), tests=5)


@pytest.mark.parametrize("sim", SIMULATORS[:1])
def test_in_the_other_simulator(sim):
    given = dict(build=SMALLEST, long=4, short=1)
    tests = ["shapes_and_extremes", "wrong_window", "both_runs_of_a_row_are_waited_for"]
    run(attention, ports(BUILDS[SMALLEST]), __name__, sim, parameters=given, testcase=tests)


def test_addresses_are_checked():
    bus = ReadMaster(data_bits=64, address_bits=32)
    with pytest.raises(ConfigError, match="cache in memory: must be at most 4294967296 bytes by its address_bits, is "):
        replace(ON_CHIP["1x1"], max_seq=1 << 23, cache=bus)


@cocotb.test(timeout_time=60, timeout_unit="ms")
async def shapes_and_extremes(dut):
    """Every shape in one build, the kinds of rows and the memory's manners take turns; random idle and back-pressure.
    At the end of each all rows lie in memory."""
    p = test_parameters()
    cfg = BUILDS[p["build"]]
    tb = MemoryBench(dut, cfg, "shapes_and_extremes")
    await tb.start()
    fitting, rows = shapes(cfg), 0
    for n, kind in enumerate(KINDS):
        tb.trouble(*TROUBLES[n % len(TROUBLES)])
        tb.pause(*((0, 0, 0), (0.3, 0.9, 0.6), (0.7, 0.3, 0.2))[n // 2 % 3])
        tb.shape(*fitting[n % len(fitting)])
        await tb.sequence(p["long" if kind in ("random", "growing", "exponents") else "short"], kind)
        await tb.quiet()
        rows += tb.compare_memory()
    await tb.finish()
    assert tb.compared > 0 and rows > 0 and tb.stats.count > 0
    assert tb.reads.sent == tb.reads.monitor.beats > 0
    assert max(tb.reads.monitor.most, tb.writes.monitor.most) <= cfg.cache.outstanding


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def one_layer_again_and_again(dut):
    """The same layer and sequence token after token: the row of the token before comes from the window, however late
    its write is answered; of each head the memory is asked for the other rows, each once a pass."""
    cfg = BUILDS[test_parameters()["build"]]
    tb = MemoryBench(dut, cfg, "one_layer_again_and_again")
    await tb.start()
    dim, kv_mul, heads = max(shapes(cfg), key=lambda shape: (shape[2], shape[0]))
    tb.shape(dim, kv_mul, heads)
    passes = -(-kv_mul // cfg.attention_queries)
    tb.trouble((40, 40), 0)
    for pos in range(14):
        beats = tb.reads.sent
        tb.writes.latency = (1, 1) if pos % 3 else (500, 500)
        rows, values, wanted = tb.token(0, 0, pos, "random")
        await tb.send(rows, values, ORDERS[pos % 3])
        await tb.check(wanted)
        from_memory = max(0, pos - 1)
        assert tb.reads.sent - beats == (heads * passes * tb.layout.rows_beats(from_memory) if from_memory else 0)
    await tb.finish()
    assert tb.compare_memory() == 14 * 2 * heads


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def both_runs_of_a_row_are_waited_for(dut):
    """Exponents and mantissas of a row are written one behind the other, and answered as late as can be: a pass that
    reads them from memory has both."""
    tb = MemoryBench(dut, BUILDS[test_parameters()["build"]], "both_runs_of_a_row_are_waited_for")
    await tb.start()
    dim, kv_mul, heads = min(shapes(tb.cfg), key=lambda shape: (shape[2], shape[0]))
    tb.shape(dim, kv_mul, heads)
    tb.writes.latency = (1, 900)
    for pos in range(16):
        rows, values, wanted = tb.token(0, 0, pos, "random")
        await tb.send(rows, values, "early")
        await tb.check(wanted)
    await tb.finish()
    assert tb.compare_memory() == 16 * 2 * heads


@cocotb.test(timeout_time=60, timeout_unit="ms")
async def any_answer_may_be_an_error(dut):
    """SLVERR or DECERR on any beat or answer: the code, and nothing hangs on the bus; right after a reset."""
    cfg = BUILDS[test_parameters()["build"]]
    tb = MemoryBench(dut, cfg, "any_answer_may_be_an_error")
    await tb.start()
    tb.trouble((1, 30), 0.2)
    codes = {SLVERR: (SLAVE_ERROR, WRITE_SLAVE_ERROR), DECERR: (DECODE_ERROR, WRITE_DECODE_ERROR)}
    tb.shape(*shapes(cfg)[0])
    for number, writing in product((0, 1, 5, 17), (False, True)):
        memory = tb.writes if writing else tb.reads
        response = tb.rng.choice((SLVERR, DECERR))
        made = memory.offered if writing else memory.made
        memory.faults = {made + number: response}
        tb.shape(tb.dim, tb.kv_mul, tb.kv_heads)
        failing = cocotb.start_soon(tb.sequence(8, "random"))
        while dut.memory_error.value == NONE:
            await RisingEdge(dut.clk)
        assert dut.memory_error.value == codes[response][writing]
        await ClockCycles(dut.clk, 2000)
        failing.cancel()
        await tb.quiet()
        assert dut.memory_error.value == codes[response][writing]
        dut.rst.value = 1
        await ClockCycles(dut.clk, 3)
        tb.source.clear()
        tb.values.clear()
        tb.sink.queue.clear()
        dut.rst.value = 0
        tb.shape(tb.dim, tb.kv_mul, tb.kv_heads)
        await tb.sequence(3, "random")
        await tb.quiet()
        assert tb.compare_memory() == 3 * 2 * tb.kv_heads * LAYERS * cfg.sequences
        assert dut.memory_error.value == NONE


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def wrong_window(dut):
    """A base that is misaligned, or a cache past the last address: the code."""
    cfg = BUILDS[test_parameters()["build"]]
    tb = MemoryBench(dut, cfg, "wrong_window")
    size, end = cfg.cache.word_bytes, 1 << cfg.cache.address_bits
    await tb.start()
    for base, code in (
        (tb.base + 1, BAD_WINDOW),
        (tb.base + size // 2, BAD_WINDOW),
        (end - tb.layout.beats * size, NONE),
        (end - tb.layout.beats * size + size, BAD_WINDOW),
        (tb.base, NONE),
    ):
        dut.rst.value, dut.memory_base.value = 1, base
        await ClockCycles(dut.clk, 3)
        dut.rst.value = 0
        await ClockCycles(dut.clk, 10)
        assert dut.memory_error.value == code, hex(base)
