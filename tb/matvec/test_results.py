"""results: rows meet the scalars of their vectors, early and late, and leave as golden.fixed.matvec.narrow says."""

import random

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.golden.fixed.matvec import Activation, narrow
from llama2_myhdl.rtl.matvec.results import LATENCY, ports, results
from llama2_myhdl.rtl.matvec.streams import FACTOR_BITS, SCALE_BITS
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.formats import UNIT
from llama2_myhdl.spec.kinds import KIND_BITS, ROW_KINDS
from llama2_myhdl.spec.presets import PRESETS
from tb.bench import Bench

CFG = PRESETS["nano"].build
DEPTH, SCALES = 12, 4
VECTORS = 60
FIELDS = ("acc", "exponent", "kind", "last", "free")


@pytest.mark.parametrize("sim", SIMULATORS)
def test_results(sim):
    run(results, ports(CFG, DEPTH, SCALES), __name__, sim, tests=5,
        testcase=["random_traffic", "a_row_every_cycle", "latency", "scalar_last", "reset"])


@pytest.mark.parametrize("sim", SIMULATORS)
def test_overflow_is_seen(sim):
    with pytest.raises(AssertionError, match="finds no place"):
        run(results, ports(CFG, DEPTH, SCALES), __name__, sim, testcase="too_many")


def traffic(rng, vectors=VECTORS):
    """Rows, scalars, what must come out, and how many rows are clipped."""
    rows, scales, expected, stats = [], [], [], Tally()
    top = 1 << CFG.acc_bits - 1
    for _ in range(vectors):
        act = Activation(np.zeros(0), rng.choice((UNIT, rng.randrange(UNIT))), rng.randrange(-25, -5))
        scales.append(dict(factor=act.factor, scale=act.scale))
        count = rng.choice((1, 2, rng.randint(1, 30)))
        for number in range(count):
            acc, exponent = rng.randrange(-top, top), rng.randrange(-12, 3)
            tag = dict(kind=rng.choice(ROW_KINDS), last=rng.randrange(2))
            rows.append(dict(acc=acc, exponent=exponent, free=int(number == count - 1), **tag))
            expected.append(dict(data=int(narrow(acc, exponent, act, stats)), **tag))
    return rows, scales, expected, stats.count


def compare(found, expected):
    for number, (a, b) in enumerate(zip(found, expected)):
        assert a == b, f"row {number}: {a}, expected {b}"
    assert len(found) == len(expected) > 0


@pytest.mark.parametrize("fault", ["data", "kind", "last", "missing"])
def test_scoreboard_can_fail(fault):
    _, _, expected, _ = traffic(random.Random(1))
    found = [dict(row) for row in expected]
    compare(found, expected)
    if fault == "missing":
        found.pop()
    else:
        found[len(found) // 2][fault] ^= 1
    with pytest.raises(AssertionError):
        compare(found, expected)


class ResultsBench(Bench):
    """Rows are started as the credits allow; cycles: of the rows' arrival, of transfers in and out."""

    def __init__(self, dut, rng=None):
        super().__init__(dut, rng)
        self.pins = {name: getattr(dut, f"row_{name}") for name in FIELDS}
        self.scales = StreamSource(dut, "s_scale", factor=FACTOR_BITS, scale=-SCALE_BITS)
        self.sink = StreamSink(dut, "m", data=-CFG.f_bits, kind=KIND_BITS, last=1)
        self.ports = self.scales, self.sink
        self.cycle = self.clipped = self.used = 0
        self.arrivals, self.scalar_cycles, self.offers = [], [], []
        dut.arrives.value = 0

    async def play(self, rows, idle=0.0, rng=None, check_room=True):
        """Until all rows have left, and some cycles more."""
        dut, todo, after, offered = self.dut, list(rows), 0, False
        while after < 4 * LATENCY:
            arrives = bool(todo) and (self.used < DEPTH or not check_room) and (not rng or rng.random() >= idle)
            dut.arrives.value = int(arrives)
            for name, value in (todo.pop(0) if arrives else dict.fromkeys(self.pins, 0)).items():
                self.pins[name].value = value & (1 << len(self.pins[name])) - 1
            await RisingEdge(dut.clk)
            self.cycle += 1
            self.used += arrives - int(dut.taken.value)
            self.clipped += int(dut.saturated.value)
            if arrives:
                self.arrivals.append(self.cycle)
            if dut.s_scale_valid.value == 1 and dut.s_scale_ready.value == 1:
                self.scalar_cycles.append(self.cycle)
            if dut.m_valid.value == 1 and not offered:
                self.offers.append(self.cycle)
            offered = dut.m_valid.value == 1 and dut.m_ready.value == 0
            after = 0 if todo or self.used else after + 1
        assert self.used == 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_traffic(dut):
    rng, total = random.Random(41), 0
    bench = ResultsBench(dut, rng)
    await bench.start()
    for idle, late, held in ((0, 0.5, 0), (0.5, 0, 0), (0, 0, 0.6), (0.3, 0.9, 0.3), (0.3, 0.3, 0.3)):
        rows, scales, expected, clipped = traffic(rng)
        bench.pause(late, held)
        bench.scales.send_nowait(*scales)
        await bench.play(rows, idle, rng)
        bench.sink.pause(rng, 0)
        await ClockCycles(dut.clk, 20)
        compare(list(bench.sink.queue), expected)
        bench.sink.queue.clear()
        total += clipped
    assert bench.sink.received > 1000 and bench.scales.sent == 5 * VECTORS
    assert abs(bench.clipped - total) < 3 * LATENCY and total > 50  # the last rows leave behind `play`


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_row_every_cycle(dut):
    """Also across vectors of a single row, the scalars being there; clipped rows are counted exactly."""
    rng, bench = random.Random(42), ResultsBench(dut)
    await bench.start()
    rows, scales, expected, clipped = traffic(rng)
    bench.scales.send_nowait(*scales)
    await ClockCycles(dut.clk, 10)
    await bench.play(rows)
    compare(list(bench.sink.queue), expected)
    assert bench.arrivals[-1] - bench.arrivals[0] == len(rows) - 1 == bench.offers[-1] - bench.offers[0]
    assert bench.clipped == clipped > 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency(dut):
    bench = ResultsBench(dut)
    await bench.start()
    rows, scales, expected, _ = traffic(random.Random(43), 1)
    bench.scales.send_nowait(*scales)
    await ClockCycles(dut.clk, 10)
    await bench.play(rows)
    compare(list(bench.sink.queue), expected)
    assert bench.offers[0] - bench.arrivals[0] == LATENCY


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scalar_last(dut):
    """DEPTH rows wait; the narrowing after their scalar is there the first one leaves."""
    bench = ResultsBench(dut)
    await bench.start()
    rows, scales, expected, _ = traffic(random.Random(44), 9)
    playing = cocotb.start_soon(bench.play(rows))
    await ClockCycles(dut.clk, 50)
    assert len(bench.arrivals) == DEPTH and not bench.offers
    bench.scales.send_nowait(*scales)
    await playing
    compare(list(bench.sink.queue), expected)
    assert bench.offers[0] - bench.scalar_cycles[0] == LATENCY


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset(dut):
    """Rows, scalars and results are dropped."""
    rng = random.Random(45)
    bench = ResultsBench(dut, rng)
    await bench.start()
    bench.pause(0, 1)
    await ClockCycles(dut.clk, 2)
    rows, scales, _, _ = traffic(rng, SCALES)
    bench.scales.send_nowait(*scales)
    playing = cocotb.start_soon(bench.play(rows))
    await ClockCycles(dut.clk, 40)
    playing.cancel()
    assert bench.scales.sent == SCALES and dut.m_valid.value == 1
    dut.arrives.value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    bench.pause(0, 0)
    await ClockCycles(dut.clk, 2 * LATENCY)
    assert bench.sink.received == 0
    bench.used = 0
    rows, scales, expected, _ = traffic(rng, 9)
    bench.scales.send_nowait(*scales)
    await bench.play(rows)
    compare(list(bench.sink.queue), expected)


@cocotb.test(timeout_time=1, timeout_unit="us")
async def too_many(dut):
    """One row more than there are places."""
    bench = ResultsBench(dut)
    await bench.start()
    rows, _, _, _ = traffic(random.Random(46), 20)
    await bench.play(rows[: DEPTH + 2], check_room=False)
