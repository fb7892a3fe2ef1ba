"""run_bursts: runs of any place and length, cut where an address is a multiple of the longest burst, and ended."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.axi.run_bursts import ports, run_bursts
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource

WORD, REST, BURST = 12, 7, 16


@pytest.mark.parametrize("sim", SIMULATORS)
def test_run_bursts(sim):
    run(run_bursts, ports(WORD, REST, BURST), __name__, sim, tests=2)


def pieces(word, rest):
    """The bursts of a run, by the definition: no word of it but the first is a multiple of BURST within a burst."""
    found = []
    for k in range(rest + 1):
        if k == 0 or (word + k) % BURST == 0:
            found.append(dict(word=word + k, len=0, last=0))
        else:
            found[-1]["len"] += 1
    found[-1]["last"] = 1
    return found


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_run(dut):
    """Random runs, and those that end at an edge, one before and one behind it; pauses on both sides."""
    rng = random.Random(3)
    source, sink = StreamSource(dut, "s", word=WORD, rest=REST), StreamSink(dut, "m", word=WORD, len=8, last=1)
    await start(dut)
    runs = [(rng.randrange((1 << WORD) - 128), rng.randrange(128)) for _ in range(200)]
    runs += [(first, rest) for first in (64, 65, 79) for rest in (0, 1, 14, 15, 16, 17, 31, 127)]
    wanted = [piece for each in runs for piece in pieces(*each)]
    for idle, wait in ((0, 0), (0.5, 0.5)):
        source.pause(rng, idle)
        sink.pause(rng, wait)
        source.send_nowait(*(dict(word=word, rest=rest) for word, rest in runs))
        await sink.wait(len(wanted))
        await ClockCycles(dut.clk, 10)
        assert list(sink.queue) == wanted
        sink.queue.clear()
        sink.received = 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def after_reset(dut):
    """A reset within a run leaves nothing of it."""
    source, sink = StreamSource(dut, "s", word=WORD, rest=REST), StreamSink(dut, "m", word=WORD, len=8, last=1)
    await start(dut)
    source.send_nowait(dict(word=3, rest=100))
    await sink.wait(2)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    sink.queue.clear()
    dut.rst.value = 0
    source.send_nowait(dict(word=16, rest=1))
    await ClockCycles(dut.clk, 20)
    assert list(sink.queue) == pieces(16, 1)
