"""The write master before a memory: every byte of every run and no other, at any pace; errors stop it, cleanly."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.axi.write_master import ports, write_master
from llama2_myhdl.sim.axi_writes import WriteMemory
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.contents import Contents
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSource
from llama2_myhdl.spec.axi import DECERR, PAGE, SLVERR, ReadMaster
from llama2_myhdl.spec.errors import NONE, WRITE_DECODE_ERROR, WRITE_SLAVE_ERROR
from tb.hdl.planted import Planted

REST = 6  # runs of up to 64 words
SMALL = dict(burst=16, depth=64, outstanding=4)
CASES = [(sim, bits) for sim, bits in zip(SIMULATORS, (64, 512))]


def _simulate(sim, data_bits, testcase=None, through=None, tests=None):
    axi = ReadMaster(data_bits=data_bits, **SMALL)
    beside = dict(parameters=dict(data_bits=data_bits), testcase=testcase, through=through, tests=tests)
    run(write_master, ports(axi, REST), __name__, sim, **beside)


@pytest.mark.parametrize("sim, data_bits", CASES)
def test_write_master(sim, data_bits):
    _simulate(sim, data_bits, tests=4)


BROKEN = {  # rules of the write channels by a fault in what keeps them
    "crosses 4096 bytes": Planted("bursts", "assign to_edge = LAST - ", "assign to_edge = LAST | "),
    "bursts under way, at most 4": Planted("under_way", "room <= (count != LIMIT) && !stop;", "room <= !stop;"),
    "WLAST is 0 with 0 beats": Planted("write_master", "m_axi_wlast <= at_last;", "m_axi_wlast <= 0;"),
}


@pytest.mark.parametrize("words", BROKEN)
@pytest.mark.parametrize("sim", SIMULATORS[:1])
def test_a_broken_rule_is_seen(sim, words):
    """By the monitor that is live beside the memory."""
    with pytest.raises(AssertionError, match=words):
        _simulate(sim, 512, "stormy", BROKEN[words])


class Writes:
    """The bench: a memory of two pages, what it is to hold, and runs at random places with random strobes."""

    def __init__(self, dut, seed):
        self.dut, self.rng = dut, random.Random(seed)
        self.axi = ReadMaster(data_bits=test_parameters()["data_bits"], **SMALL)
        words = self.axi.word_address_bits
        self.runs = StreamSource(dut, "s", word=words, rest=REST)
        self.words = StreamSource(dut, "s_word", data=self.axi.data_bits, strb=self.axi.word_bytes)
        self.contents, self.base = Contents(), PAGE * self.rng.randrange(1, (1 << self.axi.address_bits) // PAGE - 2)
        self.image = bytearray(self.rng.randbytes(2 * PAGE))
        self.contents.put(self.base, self.image)
        self.memory = WriteMemory(dut, "m_axi", self.axi, self.contents, self.rng)
        self.done = 0
        cocotb.start_soon(self._count())

    async def _count(self):
        while True:
            await RisingEdge(self.dut.clk)
            self.done += self.dut.rst.value == 0 and self.dut.done.value == 1

    def write(self, count, strobed=True):
        """Send so many runs, of which the image knows."""
        size = self.axi.word_bytes
        for _ in range(count):
            rest = self.rng.choice((0, self.rng.randrange(1 << REST)))
            place = self.rng.randrange(2 * PAGE // size - rest)
            self.runs.send_nowait(dict(word=self.base // size + place, rest=rest))
            for k in range(rest + 1):
                data, strobes = self.rng.randbytes(size), self.rng.getrandbits(size) if strobed else (1 << size) - 1
                self.words.send_nowait(dict(data=int.from_bytes(data, "little"), strb=strobes))
                for j in range(size):
                    if strobes >> j & 1:
                        self.image[(place + k) * size + j] = data[j]

    async def drain(self, limit=20000):
        """Wait until no burst is under way, within the limit."""
        quiet = 0
        for _ in range(limit):
            await RisingEdge(self.dut.clk)
            quiet = 0 if self.dut.busy.value == 1 else quiet + 1
            if quiet == 40:
                return self.memory.monitor.finish()
        raise AssertionError(f"bursts are under way after {limit} cycles")

    def compare(self):
        size = self.axi.word_bytes
        for place in range(0, 2 * PAGE, size):
            wanted = int.from_bytes(self.image[place : place + size], "little")
            assert self.contents.word(self.base + place, size) == wanted, hex(place)


async def _traffic(dut, seed, **memory):
    bench = Writes(dut, seed)
    vars(bench.memory).update(memory)
    await start(dut)
    runs = 0
    for idle in (0, 0.6):
        bench.runs.pause(bench.rng, idle)
        bench.words.pause(bench.rng, idle / 2)
        bench.write(60)
        runs += 60
        await bench.words.wait()
        await bench.drain()
    bench.compare()
    assert bench.done == runs and dut.error.value == NONE
    return bench


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def calm(dut):
    """A word a cycle but for a few cycles a run; the memory answers at once."""
    bench = await _traffic(dut, "calm")
    assert bench.memory.monitor.beats > 1000
    before = bench.memory.monitor.beats
    bench.runs.pause(bench.rng, 0)
    bench.words.pause(bench.rng, 0)
    place = bench.base // bench.axi.word_bytes
    bench.runs.send_nowait(*[dict(word=place, rest=63)] * 8)
    bench.words.send_nowait(*[dict(data=0, strb=0)] * 512)
    await ClockCycles(dut.clk, 530)
    assert bench.memory.monitor.beats - before == 512
    bench.compare()


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def stormy(dut):
    """Pauses on every channel, late answers: several bursts under way, and what is written is right."""
    bench = await _traffic(dut, "stormy", latency=(1, 90), stalls=dict(aw=0.4, w=0.3, b=0.5))
    assert bench.memory.monitor.most == bench.axi.outstanding


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def any_answer_may_be_an_error(dut):
    """The code; no pulse of `done` for that burst's run or a later one; no burst begins, those under way end; after a
    reset it writes again."""
    bench = Writes(dut, "faults")
    bench.memory.latency, bench.memory.stalls = (1, 30), dict(aw=0.2, w=0.2, b=0.2)
    await start(dut)
    for number in [*range(6), 13, 29]:
        bench.memory.faults = {bench.memory.offered + number: bench.rng.choice((SLVERR, DECERR))}
        (code,) = bench.memory.faults.values()
        bench.done, answered = 0, bench.memory.offered
        bench.write(40)
        while dut.error.value == NONE:
            await RisingEdge(dut.clk)
        assert dut.error.value == {SLVERR: WRITE_SLAVE_ERROR, DECERR: WRITE_DECODE_ERROR}[code]
        assert bench.done <= number
        await ClockCycles(dut.clk, 3)
        done, bursts = bench.done, len(bench.memory.monitor.bursts)
        await bench.drain()
        assert (bench.done, len(bench.memory.monitor.bursts)) == (done, bursts)
        assert bench.memory.offered > answered + number
        dut.rst.value = 1
        await ClockCycles(dut.clk, 3)
        for source in (bench.runs, bench.words):
            source.clear()
        dut.rst.value = 0
    bench.memory.faults, bench.done = {}, 0
    bench.image[:] = bench.rng.randbytes(2 * PAGE)
    bench.contents.fill({bench.base: bench.image})
    bench.write(10)
    await bench.words.wait()
    await bench.drain()
    bench.compare()
    assert bench.done == 10 and dut.error.value == NONE


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def nowhere(dut):
    """A write to where nothing lies."""
    bench = Writes(dut, "nowhere")
    await start(dut)
    bench.runs.send_nowait(dict(word=1, rest=0))
    bench.words.send_nowait(dict(data=1, strb=1))
    await bench.drain()
    assert dut.error.value == WRITE_DECODE_ERROR and bench.done == 0
