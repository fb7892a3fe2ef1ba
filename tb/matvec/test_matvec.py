"""matvec against golden.fixed.matvec: random work under random idle and back-pressure, throughput, latency."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from rtl.config import PRESETS
from rtl.layer.kinds import KEY, KIND_BITS, LOGITS, QUERY, VALUE
from rtl.matvec.matvec import latency, matvec
from rtl.matvec.streams import (
    FACTOR_BITS,
    SCALE_BITS,
    activation_stream,
    beat_stream,
    command_stream,
    row_stream,
)
from rtl.stream.stream import bit
from tb.clock import start
from tb.matvec.model import Work, random_work
from tb.runner import SIMULATORS, run, test_parameters
from tb.stream.drivers import StreamSink, StreamSource

BUILDS = ("nano", "default")  # 4 and 64 lanes
PAUSES = ((0, 0, 0, 0), (0.5, 0, 0, 0), (0, 0.5, 0, 0), (0, 0, 0.7, 0), (0.3, 0.3, 0.3, 0.3), (0, 0, 0.95, 0.5))
VECTORS = {"nano": 30, "default": 4}  # activation vectors a round


def ports(cfg):
    streams = dict(s_cmd=command_stream(cfg), s_tape=beat_stream(cfg), s_act=activation_stream(cfg),
                   m_row=row_stream(cfg), m_gain=beat_stream(cfg))
    return dict(clk=bit(), rst=bit(), **streams, mac_beat=bit(), saturated=bit(), CFG=cfg)


@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_matvec(sim, name):
    run(matvec, ports(PRESETS[name].build), __name__, sim, parameters=dict(name=name), tests=5)


class Bench:
    """Sources, sinks and counters around one matvec."""

    def __init__(self, dut):
        cfg = self.cfg = PRESETS[test_parameters()["name"]].build
        self.dut, self.name = dut, test_parameters()["name"]
        self.commands = StreamSource(dut, "s_cmd", kind=KIND_BITS, rows=len(dut.s_cmd_rows), beats=len(dut.s_cmd_beats),
                                     release=1)
        self.tape = StreamSource(dut, "s_tape", data=cfg.beat_bits)
        self.words = StreamSource(dut, "s_act", data=cfg.act_word_bits, factor=FACTOR_BITS, scale=-SCALE_BITS, last=1)
        self.rows = StreamSink(dut, "m_row", data=-cfg.f_bits, kind=KIND_BITS, last=1)
        self.gains = StreamSink(dut, "m_gain", data=cfg.beat_bits)
        self.cycle = self.mac_beats = self.saturations = 0
        self.tape_cycles, self.row_cycles = [], []  # of the transfers
        cocotb.start_soon(self._count())

    async def _count(self):
        dut, edge = self.dut, RisingEdge(self.dut.clk)
        while True:
            await edge
            if dut.rst.value != 0:
                continue
            self.cycle += 1
            self.mac_beats += int(dut.mac_beat.value)
            self.saturations += int(dut.saturated.value)
            if dut.s_tape_valid.value == 1 and dut.s_tape_ready.value == 1:
                self.tape_cycles.append(self.cycle)
            if dut.m_row_valid.value == 1 and dut.m_row_ready.value == 1:
                self.row_cycles.append(self.cycle)

    def send(self, work: Work, words=True):
        """Queue everything, or all but the activations."""
        self.commands.sent = self.tape.sent = 0
        if words:
            self.words.send_nowait(*work.words)
        self.commands.send_nowait(*work.commands)
        self.tape.send_nowait(*work.tape)

    async def finish(self, work: Work):
        """Wait for all results and then a while for surplus ones; compare everything."""
        await self.rows.wait(len(work.rows))
        await self.gains.wait(len(work.gains))
        await ClockCycles(self.dut.clk, 2 * latency(self.cfg.lanes))
        compare(work, list(self.rows.queue), list(self.gains.queue))
        self.rows.queue.clear()
        self.gains.queue.clear()
        assert self.commands.sent == len(work.commands)
        assert self.tape.sent == len(work.tape)


def compare(work: Work, rows, gains):
    """Scoreboard: AssertionError at the first row that differs."""
    for number, (found, expected) in enumerate(zip(rows, work.rows)):
        assert found == expected, f"row {number}: {found}, expected {expected}"
    assert len(rows) == len(work.rows) > 0
    assert gains == work.gains


@pytest.mark.parametrize("fault", ["data", "kind", "last", "missing", "surplus", "gain"])
def test_scoreboard_can_fail(fault):
    work = random_work(PRESETS["nano"].build, random.Random(1), 3)
    rows, gains = [dict(row) for row in work.rows], [dict(gain) for gain in work.gains]
    compare(work, rows, gains)
    if fault == "missing":
        rows.pop()
    elif fault == "surplus":
        rows.append(rows[-1])
    elif fault == "gain":
        gains[0]["data"] ^= 1
    else:
        rows[len(rows) // 2][fault] ^= 1
    with pytest.raises(AssertionError):
        compare(work, rows, gains)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_traffic(dut):
    """Every round of PAUSES: probabilities of an idle tape, idle activations, held rows and held gains."""
    bench, rng, total = Bench(dut), random.Random(11), Work(None)
    await start(dut)
    for tape, words, rows, gains in PAUSES:
        bench.tape.pause(rng, tape)
        bench.words.pause(rng, words)
        bench.rows.pause(rng, rows)
        bench.gains.pause(rng, gains)
        work = random_work(bench.cfg, rng, VECTORS[bench.name])
        bench.send(work)
        await bench.finish(work)
        total.weight_beats += work.weight_beats
        total.stats.count += work.stats.count
    assert bench.mac_beats == total.weight_beats
    assert bench.saturations == total.stats.count > 0
    assert bench.rows.received > 500


async def cycles_of(dut, bench, work):
    """Cycles from the first to the last tape beat of `work`, the vectors being there before it."""
    bench.words.send_nowait(*work.words)
    await ClockCycles(dut.clk, 2 * len(work.words) + 4)
    bench.send(work, words=False)
    await bench.finish(work)
    return bench.tape_cycles[-1] - bench.tape_cycles[0] + 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def no_beat_is_lost(dut):
    """Rows of one and of several beats, groups cut short, gains between, both vectors: a beat in every cycle."""
    bench, rng = Bench(dut), random.Random(12)
    work, lanes = Work(bench.cfg), bench.cfg.lanes
    await start(dut)
    act = work.vector(rng, 1)
    work.matrix(rng, act, lanes, KEY, False)
    work.matrix(rng, act, min(2 * lanes + 3, bench.cfg.max_rows), VALUE, False)
    work.gain(rng, 3)
    work.matrix(rng, act, 1, QUERY, True)
    act = work.vector(rng, bench.cfg.max_row_beats)
    work.matrix(rng, act, lanes + 1, LOGITS, False)
    work.gain(rng, 2)
    work.matrix(rng, act, 2, QUERY, True)
    assert await cycles_of(dut, bench, work) == len(work.tape)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_of_a_row(dut):
    """From the transfer of a row's last beat to its result."""
    bench, rng = Bench(dut), random.Random(13)
    work = Work(bench.cfg)
    await start(dut)
    work.matrix(rng, work.vector(rng, bench.cfg.max_row_beats), 1, KEY, True)
    await cycles_of(dut, bench, work)
    assert bench.row_cycles[0] - bench.tape_cycles[-1] == latency(bench.cfg.lanes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def waits_for_its_vector(dut):
    """Two vectors fit and the third waits for a release; no beat passes before the last word of its vector."""
    bench, rng = Bench(dut), random.Random(14)
    work, beats = Work(bench.cfg), min(2, bench.cfg.max_row_beats)
    for _ in range(3):
        work.matrix(rng, work.vector(rng, beats), 3, KEY, True)
    await start(dut)
    bench.words.send_nowait(*work.words)
    await ClockCycles(dut.clk, 50)
    assert bench.words.sent == 2 * beats
    bench.send(work, words=False)
    await bench.finish(work)
    assert bench.words.sent == 3 * beats

    work = Work(bench.cfg)
    work.matrix(rng, work.vector(rng, bench.cfg.max_row_beats), 2, KEY, True)
    bench.words.send_nowait(*work.words[:-1])
    bench.send(work, words=False)
    await ClockCycles(dut.clk, 50)
    assert bench.tape.sent == 0
    bench.words.send_nowait(work.words[-1])
    await bench.finish(work)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_in_the_middle(dut):
    """A reset drops results, vectors and half a matrix; the next work runs right."""
    bench, rng = Bench(dut), random.Random(15)
    await start(dut)
    bench.rows.pause(rng, 1)
    dropped = Work(bench.cfg)
    dropped.matrix(rng, dropped.vector(rng, 1), 5, KEY, True)
    dropped.matrix(rng, dropped.vector(rng, 1), 8, LOGITS, True)
    dropped.tape = dropped.tape[:-3]
    bench.send(dropped)
    await bench.tape.wait()
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    bench.rows.pause(rng, 0)
    assert bench.rows.received == 0
    work = random_work(bench.cfg, rng, 2)
    bench.send(work)
    await bench.finish(work)
