"""angles against golden.fixed.rope.angles: every table entry, the latency, and positions in a row."""
import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge

import llama2_myhdl.golden.fixed.rope as golden
from llama2_myhdl.rtl.rope.angles import READ_LATENCY, angles, latency, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSource
from llama2_myhdl.spec import constants
from llama2_myhdl.spec.formats import PHASE_BITS
from llama2_myhdl.spec.presets import preset
from tb.rope.frequencies import write_frequencies

CFG = preset("default").build
MAX_PAIRS = CFG.max_head_dim // 2
TURN = 1 << PHASE_BITS


@pytest.mark.parametrize("sim", SIMULATORS)
def test_angles(sim):
    run(angles, ports(CFG), __name__, sim, tests=4)


async def begin(dut):
    source = StreamSource(dut, "s_pos", pos=CFG.pos_bits)
    dut.freq_we.value = 0
    dut.pairs.value = 1
    dut.raddr.value = 0
    await start(dut)
    assert dut.ready.value == 0
    return source


async def compute(dut, source, pos, frequencies):
    """Send one position; returns (cosines, sines) of the table, after checking the latency."""
    dut.pairs.value = len(frequencies)
    await ClockCycles(dut.clk, 2)
    source.send_nowait(dict(pos=pos))
    await RisingEdge(dut.clk)
    while not (dut.s_pos_valid.value and dut.s_pos_ready.value):
        await RisingEdge(dut.clk)
    cycles = 0
    while cycles == 0 or not dut.ready.value:
        await RisingEdge(dut.clk)
        cycles += 1
        assert cycles <= latency(len(frequencies), CFG), "ready is late"
    assert cycles == latency(len(frequencies), CFG)
    table = []
    for pair in range(len(frequencies)):
        dut.raddr.value = pair
        await ClockCycles(dut.clk, READ_LATENCY + 1)
        table.append((dut.rcos.value.to_signed(), dut.rsin.value.to_signed()))
    return tuple(zip(*table))


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def every_head_size(dut):
    """All numbers of pairs, with the frequencies of real thetas, first, last and random positions."""
    rng = random.Random(1)
    source = await begin(dut)
    compared = 0
    for pairs in range(1, MAX_PAIRS + 1):
        for theta in (10000.0, 500000.0):
            frequencies = constants.frequencies(2 * pairs, theta)
            await write_frequencies(dut, frequencies)
            for pos in (0, 1, CFG.max_seq - 1, rng.randrange(CFG.max_seq)):
                found = await compute(dut, source, pos, frequencies)
                assert found == tuple(tuple(column.tolist()) for column in golden.angles(pos, frequencies))
                compared += 2 * pairs
    assert compared == 2 * 4 * 2 * sum(range(1, MAX_PAIRS + 1))


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def wrapping_phases(dut):
    """Frequencies whose products wrap, and quadrants' edges: pos * frequency is a multiple of a quarter turn."""
    rng = random.Random(2)
    source = await begin(dut)
    frequencies = [TURN - 1, TURN // 2, TURN // 4, TURN // 8, 1, 0, 3 << 29, rng.randrange(TURN)][:MAX_PAIRS]
    await write_frequencies(dut, frequencies)
    seen = set()
    for pos in [CFG.max_seq - 1, 1, 2, 3, 4, *[rng.randrange(CFG.max_seq) for _ in range(20)]]:
        found = await compute(dut, source, pos, frequencies)
        assert found == tuple(tuple(column.tolist()) for column in golden.angles(pos, frequencies))
        seen |= set(found[0])
    assert {65536, 0, -65536} <= seen


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def the_next_one_waits(dut):
    """A position that stands at the port while another one's angles are made changes nothing of them."""
    source = await begin(dut)
    frequencies = constants.frequencies(2 * MAX_PAIRS, 10000.0)
    await write_frequencies(dut, frequencies)
    dut.pairs.value, dut.raddr.value = MAX_PAIRS, 1
    for first, second in ((7, 12), (CFG.max_seq - 1, 0)):
        await source.send(dict(pos=first))
        source.send_nowait(dict(pos=second))
        for pos in (first, second):
            await RisingEdge(dut.ready)  # of what was asked for first there is one look, then the next one begins
            await ReadOnly()
            found = dut.rcos.value.to_signed(), dut.rsin.value.to_signed()
            assert found == tuple(int(column[1]) for column in golden.angles(pos, frequencies))
            await RisingEdge(dut.clk)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def reset_under_way(dut):
    """A position that a reset interrupts is forgotten, and the next one right."""
    source = await begin(dut)
    frequencies = constants.frequencies(2 * MAX_PAIRS, 10000.0)
    await write_frequencies(dut, frequencies)
    dut.pairs.value = MAX_PAIRS
    whole = latency(MAX_PAIRS, CFG)
    for delay in (1, whole // 4, whole // 2, whole - 3):
        await source.send(dict(pos=7))
        await ClockCycles(dut.clk, delay)
        dut.rst.value = 1
        await ClockCycles(dut.clk, 2)
        dut.rst.value = 0
        for _ in range(2 * whole):
            await RisingEdge(dut.clk)
            assert dut.ready.value == 0
        found = await compute(dut, source, delay, frequencies)
        assert found == tuple(tuple(column.tolist()) for column in golden.angles(delay, frequencies))
