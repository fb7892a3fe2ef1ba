"""matvec against golden.fixed.matvec: random work under random idle and back-pressure, throughput, latency."""

import random
from collections import Counter

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.matvec.activation_buffer import FIRST
from llama2_myhdl.rtl.matvec.matvec import WAIT, latency, matvec, most_vectors, ports, ring_words, sum_latency
from llama2_myhdl.rtl.matvec.streams import (
    FACTOR_BITS,
    SCALE_BITS,
)
from llama2_myhdl.sim.clock import at_every_edge
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource, reader
from llama2_myhdl.spec.causes import ACTIVATION, ATTENTION, DOWNSTREAM, HEADER, IDLE, WEIGHTS
from llama2_myhdl.spec.kinds import GATE_UP, KEY, KIND_BITS, LOGITS, OUT, PARTIAL, QUERY, VALUE
from tb.bench import Bench
from tb.matvec.builds import BUILDS
from tb.matvec.model import Work, random_work

PAUSES = (  # probabilities of an idle tape, idle activations, late scalars, held rows and held gains
    (0, 0, 0, 0, 0),
    (0.5, 0, 0, 0, 0),
    (0, 0.5, 0.9, 0, 0),
    (0, 0, 0, 0.7, 0),
    (0.3, 0.3, 0.3, 0.3, 0.3),
    (0, 0, 0.98, 0.95, 0.5),
)
VECTORS = {"nano": 30, "default": 5, "nano16": 30}  # activation vectors a round


@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_matvec(sim, name):
    run(matvec, ports(BUILDS[name]), __name__, sim, parameters=dict(name=name), tests=8)


class MatvecBench(Bench):
    """Sources, sinks and counters around one matvec."""

    def __init__(self, dut, rng):
        super().__init__(dut, rng)
        self.name = test_parameters()["name"]
        cfg = self.cfg = BUILDS[self.name]
        self.commands = StreamSource(dut, "s_cmd", kind=KIND_BITS, rows=len(dut.s_cmd_rows), beats=len(dut.s_cmd_beats),
                                     release=1, head=1)
        self.tape = StreamSource(dut, "s_tape", data=cfg.beat_bits)
        self.words = StreamSource(dut, "s_act", data=cfg.act_word_bits, last=1)
        self.scales = StreamSource(dut, "s_scale", factor=FACTOR_BITS, scale=-SCALE_BITS)
        self.rows = StreamSink(dut, "m_row", data=-cfg.f_bits, kind=KIND_BITS, last=1)
        self.gains = StreamSink(dut, "m_gain", data=cfg.beat_bits)
        self.ports = self.tape, self.words, self.scales, self.rows, self.gains
        self.cycle = 0
        self.causes = Counter()
        self.heads = []  # from_head with each beat
        # of the transfers
        self.tape_cycles, self.word_cycles, self.scale_cycles, self.row_cycles = [], [], [], []
        self._rst, self._cause, self._head = map(reader, (dut.rst, dut.cause, dut.from_head))
        self._tape_moves = self._moves("s_tape", self.tape_cycles)
        self._others_move = [self._moves(port, cycles) for port, cycles in (
            ("s_act", self.word_cycles), ("s_scale", self.scale_cycles), ("m_row", self.row_cycles))]  # fmt: skip
        self._passed = False  # a beat of the tape, in the cycle before
        at_every_edge(dut.clk, self._count)

    def _count(self):
        if self._rst() != "0":
            self._passed = False
            return
        self.cycle += 1
        cause = int(self._cause(), 2)
        assert (cause in (WEIGHTS, HEADER)) == self._passed  # the cause is that of the cycle before
        self.causes[cause] += 1
        self._passed = self._tape_moves()
        if self._passed:
            self.heads.append(int(self._head(), 2))
        for moves in self._others_move:
            moves()

    def _moves(self, port, cycles):
        """A function that tells whether there is a transfer at this edge, and notes its cycle."""
        valid, ready = (reader(getattr(self.dut, f"{port}_{name}")) for name in ("valid", "ready"))

        def moves():
            found = valid() == "1" and ready() == "1"
            if found:
                cycles.append(self.cycle)
            return found

        return moves

    def send(self, work: Work, words=True, scales=True):
        """Queue everything, or all but the activations or their scalars."""
        self.commands.sent = self.tape.sent = 0
        self.heads.clear()
        if words:
            self.words.send_nowait(*work.words)
        if scales:
            self.scales.send_nowait(*work.scales)
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
        assert self.heads == work.heads


def compare(work: Work, rows, gains):
    """Scoreboard: AssertionError at the first row that differs."""
    for number, (found, expected) in enumerate(zip(rows, work.rows)):
        assert found == expected, f"row {number}: {found}, expected {expected}"
    assert len(rows) == len(work.rows) > 0
    assert gains == work.gains


@pytest.mark.parametrize("fault", ["data", "kind", "last", "missing", "surplus", "gain"])
def test_scoreboard_can_fail(fault):
    work = random_work(BUILDS["nano"], random.Random(1), 3)
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
    """Every round of PAUSES."""
    rng, total, headers = random.Random(11), Work(None), 0
    bench = MatvecBench(dut, rng)
    await bench.start()
    for pauses in PAUSES:
        bench.pause(*pauses)
        work = random_work(bench.cfg, rng, VECTORS[bench.name])
        bench.send(work)
        await bench.finish(work)
        total.weight_beats += work.weight_beats
        total.stats.count += work.stats.count
        headers += len(work.tape) - work.weight_beats
    assert (bench.causes[WEIGHTS], bench.causes[HEADER]) == (total.weight_beats, headers)
    assert bench.pulses == total.stats.count > 0
    assert bench.rows.received > 500


async def cycles_of(dut, bench, work):
    """Cycles from the first to the last tape beat of `work`, the vectors being there before it."""
    bench.words.send_nowait(*work.words)
    bench.scales.send_nowait(*work.scales)
    await ClockCycles(dut.clk, 2 * len(work.words) + 4)
    bench.send(work, words=False, scales=False)
    await bench.finish(work)
    return bench.tape_cycles[-1] - bench.tape_cycles[0] + 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def no_beat_is_lost(dut):
    """Rows of one and of several beats, groups cut short, gains between, many vectors: a beat in every cycle."""
    rng = random.Random(12)
    bench = MatvecBench(dut, rng)
    work, lanes, cfg = Work(bench.cfg), bench.cfg.lanes, bench.cfg
    await bench.start()
    act = work.vector(rng, 1)
    work.matrix(rng, act, lanes, KEY, False)
    work.matrix(rng, act, min(2 * lanes + 3, cfg.max_rows), VALUE, False)
    work.gain(rng, 3)
    work.matrix(rng, act, 1, QUERY, True)
    for _ in range(most_vectors(cfg) - 2):  # blocks of the hidden vector
        work.matrix(rng, work.vector(rng, cfg.block_beats), 2, PARTIAL, True)
    act = work.vector(rng, cfg.dim_beats)
    work.matrix(rng, act, lanes + 1, LOGITS, False)
    work.gain(rng, 2)
    work.matrix(rng, act, 2, QUERY, True)
    assert len(work.words) <= ring_words(cfg) and len(work.scales) == most_vectors(cfg)
    assert await cycles_of(dut, bench, work) == len(work.tape)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def words_just_in_time(dut):
    """A long row starts FIRST cycles after its first word; with a word every cycle no beat waits."""
    rng = random.Random(18)
    bench = MatvecBench(dut, rng)
    work, beats = Work(bench.cfg), bench.cfg.max_row_beats
    await bench.start()
    work.matrix(rng, work.vector(rng, beats), 1, GATE_UP, True)
    bench.send(work, words=False)
    await ClockCycles(dut.clk, 20)
    assert bench.tape.sent == 1  # the exponents
    bench.words.send_nowait(*work.words)
    await bench.finish(work)
    assert bench.word_cycles == list(range(bench.word_cycles[0], bench.word_cycles[0] + beats))
    assert bench.tape_cycles[1:] == [cycle + FIRST for cycle in bench.word_cycles]
    assert FIRST == 1 and bench.causes[ATTENTION] == 0 < bench.causes[ACTIVATION]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_of_a_row(dut):
    """From the transfer of a row's last beat to its result."""
    rng = random.Random(13)
    bench = MatvecBench(dut, rng)
    work = Work(bench.cfg)
    await bench.start()
    work.matrix(rng, work.vector(rng, bench.cfg.max_row_beats), 1, KEY, True)
    await cycles_of(dut, bench, work)
    assert bench.row_cycles[0] - bench.tape_cycles[-1] == latency(bench.cfg.lanes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scalar_comes_last(dut):
    """The tape runs on until WAIT rows wait for it; the first result follows it by the narrowing."""
    rng = random.Random(16)
    bench = MatvecBench(dut, rng)
    work = Work(bench.cfg)
    await bench.start()
    work.matrix(rng, work.vector(rng, 1), min(WAIT + 20, bench.cfg.max_rows), KEY, True)
    bench.send(work, scales=False)
    await ClockCycles(dut.clk, 100)
    places = WAIT + sum_latency(bench.cfg.lanes) + 1
    if len(work.rows) > places:
        assert bench.tape.sent == places + -(-(places + 1) // bench.cfg.lanes)
        assert bench.causes[DOWNSTREAM] > 20
    assert not bench.row_cycles
    bench.scales.send_nowait(*work.scales)
    await bench.finish(work)
    assert bench.row_cycles[0] - bench.scale_cycles[0] == latency(bench.cfg.lanes) - sum_latency(bench.cfg.lanes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def headers_come_first(dut):
    """Gains and a matrix's first exponents pass before the vector is there; no beat of weights does."""
    rng = random.Random(17)
    bench = MatvecBench(dut, rng)
    work = Work(bench.cfg)
    await bench.start()
    work.gain(rng, 3)
    work.matrix(rng, work.vector(rng, 1), 2, OUT, True)
    bench.send(work, words=False)
    await ClockCycles(dut.clk, 50)
    assert bench.tape.sent == 4 and bench.causes[HEADER] == 4
    assert bench.causes[ATTENTION] > 40 and bench.causes[ACTIVATION] == 0
    bench.words.send_nowait(*work.words)
    await bench.finish(work)
    assert sum(bench.causes.values()) == bench.cycle and bench.causes[IDLE] > 2 * latency(bench.cfg.lanes) - 4


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def ring_is_full(dut):
    """The words that do not fit wait until a vector is released."""
    rng = random.Random(14)
    bench = MatvecBench(dut, rng)
    work, beats = Work(bench.cfg), bench.cfg.max_row_beats
    ring = (1 << ring_words(bench.cfg).bit_length()) - 1
    for _ in range(ring // beats + 2):
        work.matrix(rng, work.vector(rng, beats), 3, KEY, True)
    await bench.start()
    bench.words.send_nowait(*work.words)
    await ClockCycles(dut.clk, 60)
    assert bench.words.sent == ring < len(work.words)
    bench.send(work, words=False)
    await bench.finish(work)
    assert bench.words.sent == len(work.words)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_in_the_middle(dut):
    """A reset drops results, vectors, scalars and half a matrix; the next work runs right."""
    rng = random.Random(15)
    bench = MatvecBench(dut, rng)
    await bench.start()
    bench.rows.pause(rng, 1)
    await ClockCycles(dut.clk, 2)
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
