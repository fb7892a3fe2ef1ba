"""activation_buffer: vectors written at random speed, read by address, dismissed and freed."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge

from rtl.config import PRESETS, clog2
from rtl.matvec.activation_buffer import LATENCY, SLOTS, activation_buffer
from rtl.matvec.streams import FACTOR_BITS, SCALE_BITS, activation_stream
from rtl.stream.stream import bit, sint, uint
from tb.clock import start
from tb.runner import SIMULATORS, run
from tb.stream.drivers import StreamSource

CFG = PRESETS["nano"].build
VECTORS = 60


def ports():
    read = dict(slot=bit(), word=uint(clog2(CFG.max_row_beats) + 1), data=uint(CFG.act_word_bits))
    scalars = dict(scalar_slot=bit(), factor=uint(FACTOR_BITS), scale=sint(SCALE_BITS))
    pulses = dict(done=bit(), available=bit(), free=bit())
    streams = dict(clk=bit(), rst=bit(), s=activation_stream(CFG))
    return dict(**streams, **read, **pulses, **scalars, DEPTH=CFG.max_row_beats)


def vectors():
    rng = random.Random(31)
    return [[a_word(rng, last) for last in [0] * rng.randrange(CFG.max_row_beats) + [1]] for _ in range(VECTORS)]


def a_word(rng, last):
    limit = 1 << SCALE_BITS - 1
    data, factor = rng.getrandbits(CFG.act_word_bits), rng.randrange(1 << FACTOR_BITS)
    return dict(data=data, factor=factor, scale=rng.randrange(-limit, limit), last=last)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_activation_buffer(sim):
    run(activation_buffer, ports(), __name__, sim, tests=2)


async def prepare(dut):
    for name in ("slot", "word", "done", "scalar_slot", "free"):
        getattr(dut, name).value = 0
    source = StreamSource(dut, "s", data=CFG.act_word_bits, factor=FACTOR_BITS, scale=-SCALE_BITS, last=1)
    await start(dut)
    return source


async def read(dut, vector, slot, rng):
    """Read all words in random order, then the scalars; returns the number of values compared."""
    dut.slot.value = slot
    for word in rng.sample(range(len(vector)), len(vector)):
        dut.word.value = word
        await ClockCycles(dut.clk, LATENCY)
        await ReadOnly()
        assert int(dut.data.value) == vector[word]["data"]
        await RisingEdge(dut.clk)
    dut.scalar_slot.value = slot
    await ClockCycles(dut.clk, LATENCY)
    await ReadOnly()
    assert int(dut.factor.value) == vector[-1]["factor"]
    assert dut.scale.value.to_signed() == vector[-1]["scale"]
    await RisingEdge(dut.clk)
    return len(vector) + 2


async def pulse(dut, name):
    getattr(dut, name).value = 1
    await RisingEdge(dut.clk)
    getattr(dut, name).value = 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def vectors_in_order(dut):
    rng, sent, compared = random.Random(32), vectors(), 0
    source = await prepare(dut)
    source.pause(rng, 0.4)
    source.send_nowait(*[word for vector in sent for word in vector])
    for number, vector in enumerate(sent):
        while dut.available.value != 1:
            await RisingEdge(dut.clk)
        compared += await read(dut, vector, number % SLOTS, rng)
        await pulse(dut, "done")
        if rng.random() < 0.5:
            await ClockCycles(dut.clk, rng.randint(1, 12))
        await pulse(dut, "free")
    await ClockCycles(dut.clk, 3)
    assert dut.available.value == 0
    assert compared == sum(len(vector) + 2 for vector in sent)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def both_slots_taken(dut):
    """Ready is low with two vectors in; `done` ends `available` at once, only `free` lets the next one in."""
    source = await prepare(dut)
    source.send_nowait(*[dict(data=n, factor=n, scale=n, last=1) for n in range(SLOTS + 1)])
    await ClockCycles(dut.clk, 20)
    assert source.sent == SLOTS and dut.s_ready.value == 0 and dut.available.value == 1
    for _ in range(SLOTS):
        assert dut.available.value == 1
        await pulse(dut, "done")
        await ReadOnly()
        await RisingEdge(dut.clk)
    assert dut.available.value == 0
    await ClockCycles(dut.clk, 20)
    assert source.sent == SLOTS
    await pulse(dut, "free")
    await ClockCycles(dut.clk, 5)
    assert source.sent == SLOTS + 1 and dut.available.value == 1
