"""bursts: a region in order, over and over, each burst as long as its block of BURST words and the region let it be."""

import random
from itertools import islice

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.axi.bursts import bursts, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink

WORD, REST = 20, 10


@pytest.mark.parametrize("sim, burst", [(SIMULATORS[0], 2), (SIMULATORS[0], 16), (SIMULATORS[-1], 256)])
def test_bursts(sim, burst):
    run(bursts, ports(WORD, REST, burst), __name__, sim, parameters=dict(burst=burst), tests=2)


def expected(base: int, words: int, burst: int):
    """The bursts of a region without end, as `m` has them."""
    while True:
        word = base
        while word < base + words:
            after = min(base + words, (word // burst + 1) * burst)
            yield dict(word=word, len=after - word - 1)
            word = after


def edges(burst):
    """Regions that begin and end at, before and behind an edge; of one word; the longest, to the last address."""
    found = [(base, words) for base in (burst - 1, burst, burst + 1) for words in (1, burst - 1, burst, burst + 1)]
    return [*found, ((1 << WORD) - (1 << REST), 1 << REST)]


@cocotb.test(timeout_time=4, timeout_unit="ms")
@cocotb.parametrize(pause=[0.0, 0.5])
async def regions(dut, pause):
    """Two rounds and more of each region."""
    rng, burst, covered = random.Random(5), test_parameters()["burst"], 0
    dut.enable.value = 0
    sink = StreamSink(dut, "m", word=WORD, len=8)
    sink.pause(rng, pause)
    await start(dut)
    cases = edges(burst) + [(rng.randrange(1 << (WORD - 1)), rng.randrange(1, 700)) for _ in range(4)]
    for base, words in cases:
        dut.rst.value, dut.enable.value = 1, 0
        await ClockCycles(dut.clk, 2)
        sink.queue.clear()
        dut.base.value, dut.rest.value, dut.enable.value = base, words - 1, 1
        dut.rst.value = 0
        wanted = list(islice(expected(base, words, burst), 2 * (words // burst + 2)))
        await sink.wait(len(wanted))
        assert list(sink.queue)[: len(wanted)] == wanted
        covered += sum(entry["len"] + 1 for entry in wanted)
    assert covered > 2 * sum(words for _, words in cases)
