"""The memory of the compiled simulation: what it answers and when, and each rule of the bus that it watches."""

import random

import pytest

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.axi.channels import AR, ReadChannels
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import bit
from llama2_myhdl.sim.build import build
from llama2_myhdl.sim.native import NativeSimulator
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.axi import BUFFERABLE, DATA, DECERR, INCR, OKAY, SLVERR, ReadMaster

pytestmark = pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator compiles the library")

AXI = ReadMaster(data_bits=128, burst=16, depth=32, outstanding=20)  # 16 bytes a beat
REGIONS = 2
BASE, WORDS = 0x1000, 300  # what lies in memory, over more than a page
IMAGE = random.Random(1).randbytes(WORDS * AXI.word_bytes)


@hblock
def wires(clk, rst, s, m, m_axi):
    """A master that is what its test makes of it."""
    unused(clk, rst)
    return connect(s, m_axi.ar), connect(m_axi.r, m)


def ports():
    channels = ReadChannels(AXI, 1)
    return dict(clk=bit(), rst=bit(), s=channels.ar.clone(), m=channels.r.clone(), m_axi=channels)


class Bench:
    """The block out of reset, its memory, and what comes back."""

    def __init__(self):
        built = build(wires, ports(), "verilator", library=True)
        self.sim = NativeSimulator(built.file, built.top)
        self.memory = self.sim.memory("m_axi", AXI, REGIONS, seed=1)
        self.memory.fill({BASE: IMAGE})
        self.taken = self.sim.recorder(["s_addr"], "s")
        self.beats = self.sim.recorder([f"m_{name}" for name in ("id", "resp", "last", "data")], "m")
        self.source = None  # else it would hold s_valid low
        self.sim.set(rst=1, m_ready=1, s_valid=0)
        self.sim.run(3)
        self.sim.set(rst=0)
        self.sim.run(1)

    def ask(self, word, beats, number=0, **changes):
        """A burst from a word of the image on."""
        self.source = self.source or self.sim.source("s", AR)
        fields = dict(id=number, addr=BASE + word * AXI.word_bytes, len=beats - 1, size=AXI.offset_bits, burst=INCR)
        self.source.send(**(fields | dict(cache=BUFFERABLE, prot=DATA) | changes))

    def answers(self, cycles=400):
        """(cycle, ID, response, last, data) of each beat that comes in so many cycles."""
        self.sim.run(cycles)
        rows = self.beats.take().tolist()
        return [(cycle, *fields, low + (high << 64)) for cycle, *fields, low, high in rows]


@pytest.fixture
def bench():
    made = Bench()
    with made.sim:
        yield made


def data(word):
    return int.from_bytes(IMAGE[word * AXI.word_bytes :][: AXI.word_bytes], "little")


@pytest.mark.parametrize("latency", [1, 2, 60])
def test_a_burst_is_answered_after_the_latency_beat_by_beat(bench, latency):
    bench.memory.behave(latency=(latency, latency))
    bench.ask(5, 16)
    rows = bench.answers()
    ((asked, _),) = bench.taken.take().tolist()
    expected = [(asked + latency + k, 0, OKAY, int(k == 15), data(5 + k)) for k in range(16)]
    assert rows == expected
    assert [bench.memory.seen(name) for name in ("sent", "made", "bursts", "most")] == [16, 16, 1, 1]


def test_several_are_under_way_and_leave_no_gap(bench):
    """Four bursts of 16 beats at a latency of 40 cycles: one after the other, without a pause."""
    bench.memory.behave(latency=(40, 40))
    for k in range(4):
        bench.ask(16 * k, 16)
    rows = bench.answers()
    assert [row[0] for row in rows] == list(range(rows[0][0], rows[0][0] + 64))
    assert [row[-1] for row in rows] == [data(k) for k in range(64)] and bench.memory.seen("most") == 4


def test_no_beat_is_offered_in_a_refresh(bench):
    """The last 7 cycles of each 50."""
    bench.memory.behave(refresh=(50, 7))
    for k in range(12):
        bench.ask(16 * k, 16)
    begin, before = bench.sim.cycle, bench.memory.seen("refreshed")
    rows = bench.answers(500)
    assert [row[-1] for row in rows] == [data(k) for k in range(192)]
    assert {row[0] % 50 for row in rows} == set(range(43))
    assert (bench.sim.cycle - begin, bench.memory.seen("refreshed") - before) == (500, 70)


def test_ids_are_mixed_only_if_it_is_told_so(bench):
    for mixed in (False, True):
        bench.memory.behave(interleaved=mixed)
        for k in range(2):
            bench.ask(32 * k, 16, number=0)
            bench.ask(32 * k + 16, 16, number=1)
        rows = bench.answers()
        for number in (0, 1):
            found = [row[-1] for row in rows if row[1] == number]
            assert found == [data(32 * k + 16 * number + n) for k in range(2) for n in range(16)]
        assert (bench.memory.seen("mixed") > 10) == mixed


def test_channels_stand_still_as_often_as_they_are_told_to(bench):
    """Half of the cycles, and the answers are right."""
    bench.memory.behave(stalls=dict(ar=0.5, r=0.5))
    for k in range(18):
        bench.ask(16 * k, 16)
    rows = bench.answers(1500)
    assert [row[-1] for row in rows] == [data(k) for k in range(288)]
    assert 1.6 * 288 < rows[-1][0] - rows[0][0] < 2.4 * 288


def test_where_nothing_lies_the_answer_is_decerr(bench):
    """Before, behind and beyond a second part; and a word that is filled in part has zeros behind it."""
    bench.memory.fill({BASE: IMAGE, 0x8000: b"\xff" * 20})
    for address, beats, expected in [
        (BASE - 32, 2, [DECERR, DECERR]),
        (BASE + (WORDS - 2) * 16, 4, [OKAY, OKAY, DECERR, DECERR]),
        (0x8000, 3, [OKAY, OKAY, DECERR]),
        (0xFF_FFFF_FF00, 1, [DECERR]),
    ]:
        bench.ask(0, beats, addr=address)
        rows = bench.answers(40)
        assert [row[2] for row in rows] == expected
        assert rows[-1][3] == 1
        if address == 0x8000:
            assert [row[-1] for row in rows[:2]] == [(1 << 128) - 1, (1 << 32) - 1]


def test_a_fault_is_of_the_beat_that_was_named(bench):
    bench.memory.behave(faults={3: SLVERR, 20: DECERR})
    for k in range(2):
        bench.ask(16 * k, 16)
    rows = bench.answers()
    assert {number: row[2] for number, row in enumerate(rows) if row[2] != OKAY} == {3: SLVERR, 20: DECERR}
    assert [row[-1] == data(number) for number, row in enumerate(rows)].count(False) == 2
    bench.memory.behave(faults={})
    bench.ask(0, 16)
    assert {row[2] for row in bench.answers()} == {OKAY}


def test_what_it_does_not_have_is_refused(bench):
    with pytest.raises(ValueError, match="a memory has latency, stalls, refresh, interleaved, faults; not delay"):
        bench.memory.behave(delay=3)


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(size=3), "ARSIZE is not that of a beat"),
        (dict(burst=2), "ARBURST is not INCR"),
        (dict(addr=BASE + 8), "no multiple of a beat's bytes"),
        (dict(addr=BASE + 0xF80), "it crosses 4096 bytes"),
        (dict(len=16), "longer than the master's bursts"),
    ],
)
def test_a_wrong_burst_ends_the_simulation(bench, changes, words):
    """As soon as it is offered; and it stays ended."""
    bench.memory.behave(stalls=dict(ar=1.0, r=0.0))
    bench.sim.run(2)
    bench.ask(0, 16, **changes)
    for _ in range(2):
        with pytest.raises(SimulationError, match=f"the hardware ended the simulation: AR: burst of .*{words}"):
            bench.sim.run(20)


def test_an_id_without_a_region_ends_the_simulation():
    built = build(wires, ports(), "verilator", library=True)
    with NativeSimulator(built.file, built.top) as sim:
        sim.memory("m_axi", AXI, 1, seed=1)
        sim.set(rst=1, m_ready=1)
        sim.run(3)
        source = sim.source("s", AR)
        source.send(id=1, addr=BASE, len=0, size=AXI.offset_bits, burst=INCR, cache=BUFFERABLE, prot=DATA)
        sim.set(rst=0)
        with pytest.raises(SimulationError, match="there is no region of this ID"):
            sim.run(10)


def test_too_many_bursts_end_the_simulation(bench):
    """One more than the master may have; those of two IDs count together."""
    bench.memory.behave(latency=(100, 100))
    for k in range(AXI.outstanding):
        bench.ask(0, 16, number=k % 2)
    bench.sim.run(AXI.outstanding + 2)
    bench.ask(0, 16)
    with pytest.raises(SimulationError, match="too many bursts are under way"):
        bench.sim.run(20)


@pytest.mark.parametrize("change", [dict(s_addr=BASE + 16), dict(s_len=2), dict(s_prot=1), dict(s_valid=0)])
def test_an_address_that_moves_while_it_waits_ends_the_simulation(bench, change):
    bench.memory.behave(stalls=dict(ar=1.0, r=0.0))
    bench.sim.run(2)
    still = dict(s_id=0, s_addr=BASE, s_len=3, s_size=AXI.offset_bits, s_burst=INCR, s_cache=0, s_prot=0, s_valid=1)
    bench.sim.set(**still)
    bench.sim.run(10)
    bench.sim.set(**still | change)
    with pytest.raises(SimulationError, match="what was offered and not taken has changed"):
        bench.sim.run(1)


def test_valid_in_reset_ends_the_simulation(bench):
    """From the third cycle on: a registered reset may be on its way until then."""
    bench.sim.set(rst=1, s_valid=1)
    bench.sim.run(2)
    with pytest.raises(SimulationError, match="AR: valid is not low in reset"):
        bench.sim.run(1)


def test_a_reset_forgets_what_was_asked_for(bench):
    bench.memory.behave(latency=(50, 50))
    bench.ask(0, 16)
    bench.sim.run(10)
    bench.sim.set(rst=1)
    bench.sim.run(5)
    bench.sim.set(rst=0)
    assert bench.answers() == []
    bench.ask(16, 2)
    assert [row[-1] for row in bench.answers()] == [data(16), data(17)]
