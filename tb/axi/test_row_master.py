"""The row master before a memory: every beat of every row that is asked for, in order, at any pace; errors stop it."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.axi.row_master import ports, row_master
from llama2_myhdl.sim.axi_memory import ReadMemory
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.axi import DECERR, PAGE, SLVERR, ReadMaster
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.errors import BAD_WINDOW, DECODE_ERROR, NONE, SLAVE_ERROR

ROWS, BEATS = 40, 300  # at most
SMALL = dict(burst=16, depth=32, outstanding=4)
# bus, beat: words of many beats, of one; beats of many words
RATIOS = [(64, 32), (512, 32), (128, 128), (64, 512)]
CODES = {SLVERR: SLAVE_ERROR, DECERR: DECODE_ERROR}


@pytest.mark.parametrize("data_bits, beat_bits", RATIOS)
def test_ratios(data_bits, beat_bits):
    _simulate(SIMULATORS[0], ["random_rows"], data_bits, beat_bits)


@pytest.mark.parametrize("sim", SIMULATORS[-1:])
def test_all(sim):
    _simulate(sim, ["random_rows", "any_beat_may_fail", "windows", "scoreboard_can_fail"], 64, 32)


def _simulate(sim, testcase, data_bits, beat_bits):
    given = dict(data_bits=data_bits, beat_bits=beat_bits)
    arguments = ports(ReadMaster(data_bits=data_bits, **SMALL), beat_bits, ROWS, BEATS)
    run(row_master, arguments, __name__, sim, parameters=given, testcase=testcase, tests=len(testcase))


def test_a_table_that_cannot_be_addressed():
    axi, words = ReadMaster(data_bits=64, address_bits=32, **SMALL), 1 << 12
    row_master(**ports(axi, 64, 1 << 17, words))
    with pytest.raises(ConfigError, match="axi address_bits: a table of 4,295,000,064 bytes needs more than 32"):
        row_master(**ports(axi, 64, (1 << 17) + 1, words))
    with pytest.raises(ConfigError, match="tape beat_bits: must be a power of two"):
        row_master(**ports(axi, 96, 2, 2))


class Bench:
    """Drivers of both streams before a memory with a table, and what must come."""

    def __init__(self, dut, seed: int):
        given = test_parameters()
        self.dut, self.rng = dut, random.Random(seed)
        self.axi, self.beat_bits = ReadMaster(data_bits=given["data_bits"], **SMALL), given["beat_bits"]
        self.memory = ReadMemory(dut, "m_axi", self.axi, 1, self.rng)
        self.source = StreamSource(dut, "s", row=(ROWS - 1).bit_length())
        self.sink = StreamSink(dut, "m", data=self.beat_bits)
        dut.enable.value = 0
        self.compared = 0

    async def table(self, rows: int, beats: int, base: int | None = None):
        """Reset before a table of random rows, at a random place or `base`; what lies between rows is not zero."""
        axi, size = self.axi, self.beat_bits // 8
        row_bytes = axi.words(beats, self.beat_bits) * axi.word_bytes
        if base is None:
            base = self.rng.randrange(1 << axi.address_bits - 1) // axi.word_bytes * axi.word_bytes
        data = self.rng.randbytes(rows * row_bytes)
        self.memory.fill({base: data})
        starts = range(0, len(data), row_bytes)
        self.rows = [[data[k + b * size : k + (b + 1) * size] for b in range(beats)] for k in starts]
        await self.restart(base, rows, beats)
        self.wanted = []
        for waiting in self.source.queue:  # of those asked for before the reset
            self._want(waiting["row"])

    async def restart(self, base: int, rows: int, beats: int):
        dut = self.dut
        dut.rst.value, dut.enable.value = 1, 0
        dut.base.value, dut.rows.value, dut.row_beats.value = base, rows, beats
        await ClockCycles(dut.clk, 3)
        self.sink.queue.clear()
        dut.rst.value = 0
        await ClockCycles(dut.clk, 1)
        dut.enable.value = 1

    def ask(self, count: int):
        """For random rows, the first and the last among them."""
        last = len(self.rows) - 1
        for row in [self.rng.choice((0, last, self.rng.randint(0, last))) for _ in range(count)]:
            self.source.send_nowait(dict(row=row))
            self._want(row)

    def _want(self, row: int):
        self.wanted += [int.from_bytes(beat, "little") for beat in self.rows[row]]

    async def finish(self):
        """Compare all of it, and wait until the bus is quiet."""
        await self.sink.wait(len(self.wanted))
        await ClockCycles(self.dut.clk, 100)
        assert [beat["data"] for beat in self.sink.queue] == self.wanted
        assert self.dut.busy.value == 0 and self.dut.error.value == NONE
        self.memory.monitor.finish()
        self.compared += len(self.wanted)
        self.sink.queue.clear()
        self.wanted = []


@cocotb.test(timeout_time=8, timeout_unit="ms")
async def random_rows(dut):
    """Tables of all sizes, one past a page, before a quick memory and a stormy one, with pauses on both sides."""
    bench = Bench(dut, 7)
    await start(dut)
    count, memory = 0, bench.memory
    page = PAGE * 8 // bench.beat_bits
    for rows, beats in ((1, 1), (ROWS, 5), (3, min(BEATS, page + 3)), (7, 17), (2, 64)):
        bench.source.pause(None, 0), bench.sink.pause(None, 0)
        await bench.table(rows, beats)
        for storm in (False, True):
            memory.latency, memory.refresh = ((1, 90), (200, 20)) if storm else ((1, 1), None)
            memory.stalls = dict(ar=0.4, r=0.3) if storm else dict(ar=0.0, r=0.0)
            bench.source.pause(bench.rng, bench.rng.choice((0, 0.6)))
            bench.sink.pause(bench.rng, bench.rng.choice((0, 0.6)))
            bench.ask(8)
            await bench.finish()
            count += 8 * beats
    words = sum(burst.beats for burst in memory.monitor.bursts)
    assert bench.compared == count and words == memory.sent == memory.monitor.beats


@cocotb.test(timeout_time=8, timeout_unit="ms")
async def any_beat_may_fail(dut):
    """SLVERR or DECERR on any of the first beats: the code, none of what came later, and no burst begins; those under
    way are taken. Behind a reset all is well."""
    bench = Bench(dut, 8)
    await start(dut)
    memory, failed = bench.memory, 0
    memory.latency, memory.stalls = (1, 30), dict(ar=0.2, r=0.2)
    for number in range(24):
        code = bench.rng.choice(list(CODES))
        await bench.table(ROWS, 11)
        memory.faults = {memory.made + number: code}
        bench.ask(8)
        while dut.error.value == NONE:
            await RisingEdge(dut.clk)
        assert dut.error.value == CODES[code]
        await ClockCycles(dut.clk, 3)  # one burst may have begun in the cycle of the error
        asked = len(memory.monitor.bursts)
        await ClockCycles(dut.clk, 300)
        assert dut.busy.value == 0 and len(memory.monitor.bursts) == asked and dut.error.value == CODES[code]
        memory.monitor.finish()
        came = [beat["data"] for beat in bench.sink.queue]
        assert came == bench.wanted[: len(came)] and len(came) <= 2 * number + 2
        failed += 1
        memory.faults = {}
        await bench.table(ROWS, 3)
        bench.ask(4)
        await bench.finish()
    assert failed == 24 and bench.compared >= 24 * 12


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def windows(dut):
    """A table that is misaligned, empty, of rows without beats or past the last address: the code, and nothing is
    read. One that ends with the last address can be read."""
    bench = Bench(dut, 9)
    await start(dut)
    size, end = bench.axi.word_bytes, 1 << bench.axi.address_bits
    words = bench.axi.words(9, bench.beat_bits)
    past = end - 4 * words * size + size
    wrong = [(size // 2, 4, 9), (1, 4, 9), (0, 0, 9), (0, 4, 0), (past, 4, 9), (end - size, 1, 9)]
    for base, rows, beats in wrong:
        await bench.restart(base, rows, beats)
        bench.source.send_nowait(dict(row=0))
        await ClockCycles(dut.clk, 400)
        assert dut.error.value == BAD_WINDOW and not bench.memory.monitor.bursts, (base, rows, beats)
    await bench.table(4, 9, base=end - 4 * words * size)
    bench.ask(10)
    await bench.finish()
    assert bench.compared == (10 + len(wrong)) * 9 and bench.memory.monitor.bursts


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """Another row than was asked for: the comparison objects."""
    bench = Bench(dut, 10)
    await start(dut)
    await bench.table(5, 6)
    bench.ask(1)
    bench.source.queue[0] = dict(row=(bench.source.queue[0]["row"] + 1) % 5)
    with pytest.raises(AssertionError):
        await bench.finish()
    assert bench.sink.received == 6
