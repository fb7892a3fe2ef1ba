"""bursts: runs of any place and length, cut where an address is a multiple of the longest burst, and ended."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.axi.bursts import bursts, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource

WORD, REST = 20, 10
SOME = 200


@pytest.mark.parametrize("sim, burst", [(SIMULATORS[0], 2), (SIMULATORS[0], 16), (SIMULATORS[-1], 256)])
def test_bursts(sim, burst):
    run(bursts, ports(WORD, REST, burst), __name__, sim, parameters=dict(burst=burst), tests=3)


def pieces(word, rest, burst):
    """The bursts of a run, by the definition: no word of it but the first is a multiple of `burst` within a burst."""
    found = []
    for k in range(rest + 1):
        if k == 0 or (word + k) % burst == 0:
            found.append(dict(word=word + k, len=0, last=0))
        else:
            found[-1]["len"] += 1
    found[-1]["last"] = 1
    return found


def edges(burst):
    """Runs that begin and end at, before and behind an edge; of one word; the longest, to the last address."""
    lengths = sorted({1, burst - 1, burst, burst + 1})
    found = [(first, words - 1) for first in (burst - 1, burst, burst + 1) for words in lengths]
    return [*found, ((1 << WORD) - (1 << REST), (1 << REST) - 1)]


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def every_run(dut):
    """Random runs, and those at the edges; pauses on both sides."""
    rng, burst = random.Random(3), test_parameters()["burst"]
    source, sink = StreamSource(dut, "s", word=WORD, rest=REST), StreamSink(dut, "m", word=WORD, len=8, last=1)
    await start(dut)
    runs = [(rng.randrange((1 << WORD) - (1 << REST)), rng.randrange(8 * min(burst, 16))) for _ in range(SOME)]
    runs += edges(burst)
    wanted = [piece for each in runs for piece in pieces(*each, burst)]
    for idle, wait in ((0, 0), (0.5, 0.5)):
        source.pause(rng, idle)
        sink.pause(rng, wait)
        source.send_nowait(*(dict(word=word, rest=rest) for word, rest in runs))
        await sink.wait(len(wanted))
        await ClockCycles(dut.clk, 10)
        assert list(sink.queue) == wanted
        sink.queue.clear()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def after_reset(dut):
    """A reset within a run leaves nothing of it."""
    burst = test_parameters()["burst"]
    source, sink = StreamSource(dut, "s", word=WORD, rest=REST), StreamSink(dut, "m", word=WORD, len=8, last=1)
    await start(dut)
    source.send_nowait(dict(word=3, rest=4 * burst - 1))
    await sink.wait(2)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    sink.queue.clear()
    dut.rst.value = 0
    source.send_nowait(dict(word=16, rest=1))
    await ClockCycles(dut.clk, 20)
    assert list(sink.queue) == pieces(16, 1, burst)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def offered_in_reset(dut):
    """A run that stands there from reset on, and the one behind it, are taken once each."""
    burst, runs = test_parameters()["burst"], ((5, 2), (9, 40), (77, 0))
    sink = StreamSink(dut, "m", word=WORD, len=8, last=1)
    dut.s_word.value, dut.s_rest.value, dut.s_valid.value = *runs[0], 1
    await start(dut)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    assert dut.s_ready.value == 0 and dut.m_valid.value == 0
    sink.queue.clear()
    dut.rst.value = 0
    taken = 0
    while taken < len(runs):
        await RisingEdge(dut.clk)
        taken += int(dut.s_ready.value)
        if taken < len(runs):
            dut.s_word.value, dut.s_rest.value = runs[taken]
    dut.s_valid.value = 0
    await ClockCycles(dut.clk, 30)
    assert list(sink.queue) == [piece for each in runs for piece in pieces(*each, burst)]
