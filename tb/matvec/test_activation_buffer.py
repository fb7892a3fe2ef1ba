"""activation_buffer: vectors written at random speed, read again and again, dropped, checked in every cycle."""

import random
from collections import deque

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.matvec.activation_buffer import FIRST, LATENCY, activation_buffer, ports
from llama2_myhdl.rtl.matvec.matvec import ring_words
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSource
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.presets import PRESETS
from tb.hdl.planted import Planted

CFG = PRESETS["nano"].build
DEPTH = ring_words(CFG)
RING = (1 << clog2(DEPTH + 1)) - 1  # words it holds
VECTORS = 84
PARTS = 2


def vectors(longest=DEPTH):
    rng = random.Random(31)
    return [[rng.getrandbits(CFG.act_word_bits) for _ in range(rng.randint(1, longest))] for _ in range(VECTORS)]


def words(sent):
    """As the source sends them."""
    return [dict(data=data, last=int(w == len(v) - 1)) for v in sent for w, data in enumerate(v)]


def steps(sent, rng):
    """One to three rows of a vector, only the last one sure to be whole: (word, again, drop, number of the word)."""
    base = 0
    for vector in sent:
        rows = [rng.randint(1, len(vector)) for _ in range(rng.randrange(3))] + [len(vector)]
        for row, length in enumerate(rows):
            for w in range(length):
                end, drop = w == length - 1, row == len(rows) - 1
                yield vector[w], int(end and not drop), int(end and drop), base + w
        base += len(vector)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_activation_buffer(sim):
    run(
        activation_buffer,
        ports(CFG, DEPTH, PARTS),
        __name__,
        sim,
        tests=3,
        testcase=["random_steps", "a_step_every_cycle", "full_ring"],
    )


@pytest.mark.parametrize("sim", SIMULATORS)
@pytest.mark.parametrize("testcase, message", [("unfinished", "not its last"), ("early", "that is not there")])
def test_misuse_is_seen(sim, testcase, message):
    with pytest.raises(AssertionError, match=message):
        run(activation_buffer, ports(CFG, DEPTH, PARTS), __name__, sim, testcase=testcase)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_a_word_too_many_is_seen(sim):
    """A ring that takes words though it is full, as no handshake lets it, overwrites one that may still be read."""
    fault = Planted("activation_buffer", "s_ready <= after_write != limit", "s_ready <= 1'b1")
    with pytest.raises(AssertionError, match="a word that may still be read is overwritten"):
        run(activation_buffer, ports(CFG, DEPTH, PARTS), __name__, sim, testcase="full_ring", through=fault)


async def prepare(dut):
    for name in ("step", "again", "drop"):
        getattr(dut, name).value = 0
    source = StreamSource(dut, "s", data=CFG.act_word_bits, last=1)
    await start(dut)
    return source


async def follow(dut, todo, rng, hold):
    """Step whenever the next word is there, but for pauses; every cycle is checked. Returns values compared, cycles."""
    assert LATENCY == 1
    todo, arrivals, expected = deque(todo), [], None
    compared = cycle = first = last = 0
    while todo or expected is not None:
        cycle += 1
        there = bool(todo) and len(arrivals) > todo[0][3] and cycle >= arrivals[todo[0][3]] + FIRST
        step = there and rng.random() >= hold
        _, again, drop, _ = todo[0] if step else (0, rng.randrange(2), rng.randrange(2), 0)
        dut.step.value, dut.again.value, dut.drop.value = int(step), again, drop
        await RisingEdge(dut.clk)
        if todo:
            assert int(dut.there.value) == int(there), f"cycle {cycle}"
        if expected is not None:
            assert int(dut.data.value) == expected
            compared += 1
        expected = todo.popleft()[0] if step else None
        if step:
            first, last = first or cycle, cycle
        if dut.s_valid.value == 1 and dut.s_ready.value == 1:
            arrivals.append(cycle)
    return compared, last - first + 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_steps(dut):
    rng, sent = random.Random(32), vectors()
    todo = list(steps(sent, rng))
    source = await prepare(dut)
    for idle, hold in ((0.3, 0.3), (0, 0.6), (0.7, 0)):
        source.pause(rng, idle)
        source.send_nowait(*words(sent))
        compared, _ = await follow(dut, todo, rng, hold)
        assert compared == len(todo) > 700


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_step_every_cycle(dut):
    """Words come and are used at full rate, through vectors of all lengths up to half the ring."""
    rng, sent = random.Random(33), vectors(RING // 2)
    source = await prepare(dut)
    source.send_nowait(*words(sent))
    todo = list(steps(sent, rng))
    compared, cycles = await follow(dut, todo, rng, 0)
    assert compared == cycles == len(todo)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def full_ring(dut):
    """RING words of any number of vectors, and no more until a vector is dropped; after a reset, as many again."""
    source = await prepare(dut)
    for _ in range(2):
        source.sent = 0
        source.send_nowait(*words([[1, 2], [3]] * RING)[: RING + 2])
        await ClockCycles(dut.clk, 2 * RING)
        assert source.sent == RING and dut.s_ready.value == 0 and dut.there.value == 1
        for drop in (0, 1):
            dut.step.value, dut.again.value, dut.drop.value = 1, 0, drop
            await RisingEdge(dut.clk)
        dut.step.value = 0
        await ClockCycles(dut.clk, 10)
        assert source.sent == RING + 2
        dut.rst.value = 1
        await ClockCycles(dut.clk, 3)
        assert dut.there.value == 0
        dut.rst.value = 0


async def misuse(dut, sent, **pins):
    source = await prepare(dut)
    source.send_nowait(*words(sent))
    await ClockCycles(dut.clk, 10)
    for name, value in pins.items():
        getattr(dut, name).value = value
    await ClockCycles(dut.clk, 5)


@cocotb.test(timeout_time=1, timeout_unit="us")
async def unfinished(dut):
    await misuse(dut, [[1, 2, 3]], step=1, drop=1)


@cocotb.test(timeout_time=1, timeout_unit="us")
async def early(dut):
    await misuse(dut, [[1]], step=1, drop=1)
