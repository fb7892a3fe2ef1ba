"""row_start: first + row * row_words for every row, in order, at any pace."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.axi.row_start import ports, row_start
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource

ROW, WORDS, ADDRESS = 13, 13, 37
ROUNDS, EACH = 12, 25


@pytest.mark.parametrize("sim, words", [(SIMULATORS[0], 1), (SIMULATORS[-1], WORDS)])
def test_row_start(sim, words):
    run(row_start, ports(ROW, words, ADDRESS), __name__, sim, parameters=dict(words=words), tests=2)


async def begin(dut):
    source, sink = StreamSource(dut, "s", row=ROW), StreamSink(dut, "m", word=ADDRESS)
    dut.enable.value = 0
    await start(dut)
    return source, sink


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_rows(dut):
    """Tables at random places, the largest numbers among them, which wrap; nothing is taken before `enable`."""
    rng, most = random.Random(3), (1 << test_parameters()["words"]) - 1
    source, sink = await begin(dut)
    compared = 0
    for turn in range(ROUNDS):
        first = rng.choice((0, (1 << ADDRESS) - 1, rng.getrandbits(ADDRESS)))
        words = rng.choice((1, most, rng.randrange(1, most + 1)))
        dut.rst.value, dut.enable.value = 1, 0
        dut.first.value, dut.row_words.value = first, words
        await ClockCycles(dut.clk, 2)
        dut.rst.value = 0
        rows = [rng.choice((0, (1 << ROW) - 1, rng.getrandbits(ROW))) for _ in range(EACH)]
        source.send_nowait(*[dict(row=row) for row in rows])
        source.pause(rng, turn % 3 / 3)
        sink.pause(rng, turn % 2 / 2)
        await ClockCycles(dut.clk, 5)
        assert len(source.queue) + 1 >= EACH and not sink.queue
        dut.enable.value = 1
        await sink.wait(EACH)
        assert [entry["word"] for entry in sink.queue] == [(first + row * words) % (1 << ADDRESS) for row in rows]
        compared += EACH
        sink.queue.clear()
    assert compared == ROUNDS * EACH


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency(dut):
    """A cycle for each bit of row_words and one more; the next number is taken behind the word."""
    source, sink = await begin(dut)
    dut.first.value, dut.row_words.value, dut.enable.value = 5, 1, 1
    source.send_nowait(*[dict(row=row) for row in (7, 8, 9)])
    cycle, taken, given = 0, [], []
    while len(given) < 3:
        await RisingEdge(dut.clk)
        cycle += 1
        if dut.s_valid.value == 1 and dut.s_ready.value == 1:
            taken.append(cycle)
        if dut.m_valid.value == 1:
            given.append(cycle)
    steps = test_parameters()["words"]
    assert given == [moment + steps + 1 for moment in taken]
    assert taken[1:] == [moment + 1 for moment in given[:-1]]
    assert [entry["word"] for entry in sink.queue][:2] == [12, 13]
