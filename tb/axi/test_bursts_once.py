"""bursts that are told to read a region once: as far as its end, and no further."""

from itertools import islice

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.axi.bursts import bursts, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink
from tb.axi.test_bursts import REST, WORD, edges, expected

BURST = 16


@pytest.mark.parametrize("sim", SIMULATORS)
def test_bursts_once(sim):
    run(bursts, ports(WORD, REST, BURST, once=True), __name__, sim, testcase="one_round", tests=1)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def one_round(dut):
    """Each region is read once, and nothing more is asked for until a reset."""
    dut.enable.value = 0
    sink = StreamSink(dut, "m", word=WORD, len=8)
    await start(dut)
    for base, words in edges(BURST)[:-1]:
        dut.rst.value, dut.enable.value = 1, 0
        await ClockCycles(dut.clk, 2)
        sink.queue.clear()
        dut.base.value, dut.rest.value, dut.enable.value = base, words - 1, 1
        dut.rst.value = 0
        await ClockCycles(dut.clk, 4 * words + 20)
        got = list(sink.queue)
        assert got == list(islice(expected(base, words, BURST), len(got))) and sum(e["len"] + 1 for e in got) == words
