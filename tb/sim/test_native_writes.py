"""The memory of the compiled simulation as it is written: what it keeps and answers, and each rule that it watches."""

import random

import pytest

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.axi.channels import AR, AW, MemoryChannels, W
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import bit
from llama2_myhdl.sim.build import build
from llama2_myhdl.sim.native import NativeSimulator
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.axi import BUFFERABLE, DATA, DECERR, INCR, OKAY, SLVERR, ReadMaster

pytestmark = pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator compiles the library")

AXI = ReadMaster(data_bits=128, burst=16, depth=32, outstanding=4)  # 16 bytes a beat
BASE, WORDS, SIZE = 0x1000, 300, 16
IMAGE = random.Random(1).randbytes(WORDS * SIZE)
ALL = (1 << SIZE) - 1


@hblock
def wires(clk, rst, s_ar, m_r, s_aw, s_w, m_b, m_axi):
    """A master that is what its test makes of it."""
    unused(clk, rst)
    writing, reads = m_axi.writing, (connect(s_ar, m_axi.ar), connect(m_axi.r, m_r))
    return reads, connect(s_aw, writing.aw), connect(s_w, writing.w), connect(writing.b, m_b)


def ports():
    channels = MemoryChannels(AXI, 1)
    writing, reads = channels.writing, dict(s_ar=channels.ar.clone(), m_r=channels.r.clone())
    writes = dict(s_aw=writing.aw.clone(), s_w=writing.w.clone(), m_b=writing.b.clone())
    return dict(clk=bit(), rst=bit(), **reads, **writes, m_axi=channels)


class Bench:
    """The block out of reset, its memory, and what comes back."""

    def __init__(self):
        built = build(wires, ports(), "verilator", library=True)
        self.sim = NativeSimulator(built.file, built.top)
        self.memory = self.sim.memory("m_axi", AXI, 2, seed=1, writes=True)
        self.memory.fill({BASE: IMAGE})
        self.answers = self.sim.recorder(["m_b_resp", "m_b_id"], "m_b")
        self.beats = self.sim.recorder(["m_r_data"], "m_r")
        self.words = self.sim.recorder(["s_w_last"], "s_w")
        self.ar, self.aw, self.w = (self.sim.source(f"s_{name}", fields) for name, fields in
                                    (("ar", AR), ("aw", AW), ("w", W)))  # fmt: skip
        self.sim.set(rst=1, m_r_ready=1, m_b_ready=1)
        self.sim.run(3)
        self.sim.set(rst=0)
        self.sim.run(1)

    def address(self, word, beats, **changes):
        """A burst of writes to a word of the image and those behind it, without its data."""
        fields = dict(id=0, addr=BASE + word * SIZE, len=beats - 1, size=AXI.offset_bits, burst=INCR)
        self.aw.send(**(fields | dict(cache=BUFFERABLE, prot=DATA) | changes))

    def write(self, word, data, strobes=ALL, **changes):
        """A burst of these words."""
        self.address(word, len(data), **changes)
        for k, value in enumerate(data):
            self.w.send(data=value, strb=strobes, last=int(k == len(data) - 1))

    def told(self, cycles=200):
        """(cycle, response, ID) of the answers in so many cycles."""
        self.sim.run(cycles)
        return self.answers.take().tolist()

    def read(self, word, beats):
        """What the memory has there."""
        fields = dict(id=1, addr=BASE + word * SIZE, len=beats - 1, size=AXI.offset_bits, burst=INCR)
        self.ar.send(**fields, cache=BUFFERABLE, prot=DATA)
        self.sim.run(200)
        return [low + (high << 64) for _, low, high in self.beats.take().tolist()]


@pytest.fixture
def bench():
    made = Bench()
    with made.sim:
        yield made


def kept(word):
    return int.from_bytes(IMAGE[word * SIZE :][:SIZE], "little")


@pytest.mark.parametrize("latency", [1, 2, 60])
def test_a_burst_is_answered_after_the_latency_and_kept(bench, latency):
    bench.memory.behave(latency=(latency, latency))
    bench.write(5, [10, 11, 12])
    ((answered, *rest),) = bench.told()
    last = bench.words.take().tolist()[-1][0]
    assert (answered - last, rest) == (latency, [OKAY, 0])
    assert bench.read(4, 5) == [kept(4), 10, 11, 12, kept(8)]
    assert [bench.memory.seen(name) for name in ("answered", "offered", "begun", "most_begun")] == [1, 1, 1, 1]


def test_only_bytes_with_a_strobe_change(bench):
    bench.write(7, [(1 << 128) - 1], strobes=0b1000_0000_0000_0101)
    bench.told()
    mask = 0xFF | 0xFF << 16 | 0xFF << 120
    assert bench.read(7, 1) == [kept(7) | mask]


def test_what_is_not_answered_is_not_there(bench):
    bench.memory.behave(latency=(150, 150))
    bench.write(0, [99])
    bench.sim.run(20)
    bench.memory.behave(latency=(1, 1))
    assert bench.read(0, 1) == [kept(0)]
    bench.told()
    assert bench.read(0, 1) == [99]


def test_errors(bench):
    """Of the burst that was named, and where nothing lies; nothing is written then."""
    bench.memory.behave(write_faults={1: SLVERR, 3: DECERR})
    for k in range(4):
        bench.write(k, [k])
    bench.write(0, [0], addr=BASE - SIZE)
    assert [response for _, response, _ in bench.told()] == [OKAY, SLVERR, OKAY, DECERR, DECERR]
    assert bench.read(0, 4) == [0, kept(1), 2, kept(3)]


def test_channels_stand_still_as_often_as_they_are_told_to(bench):
    bench.memory.behave(stalls=dict(aw=0.5, w=0.5, b=0.5))
    for k in range(12):
        bench.address(16 * k, 16)
        bench.told(20)
        for n in range(16):
            bench.w.send(data=n, strb=ALL, last=int(n == 15))
        bench.told(60)
    moments = [cycle for cycle, _ in bench.words.take().tolist()]
    assert len(moments) == 192 and bench.memory.seen("answered") == 12
    assert 1.6 < sum(moments[16 * k + 15] - moments[16 * k] for k in range(12)) / 180 < 2.4


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(size=3), "AWSIZE is not that of a beat"),
        (dict(burst=2), "AWBURST is not INCR"),
        (dict(addr=BASE + 8), "no multiple of a beat's bytes"),
        (dict(addr=BASE + 0xF80), "it crosses 4096 bytes"),
        (dict(len=16), "longer than the master's bursts"),
        (dict(id=1), "its ID is not 0"),
    ],
)
def test_a_wrong_burst_ends_the_simulation(bench, changes, words):
    bench.address(0, 16, **changes)
    with pytest.raises(SimulationError, match=f"the hardware ended the simulation: writes: .*{words}"):
        bench.sim.run(20)


def test_wrong_data_end_the_simulation():
    """A beat too few before the last one, and a beat of no burst."""
    for beats, last, words in ((2, 1, "WLAST is not that"), (0, 1, "belongs to no burst"), (1, 0, "WLAST is not that")):
        bench = Bench()
        with bench.sim:
            if beats:
                bench.address(0, beats)
            bench.sim.run(5)
            bench.w.send(data=0, strb=0, last=last)
            with pytest.raises(SimulationError, match=words):
                bench.sim.run(20)


def test_too_many_bursts_end_the_simulation(bench):
    for _ in range(AXI.outstanding):
        bench.address(0, 1)
    bench.sim.run(20)
    bench.address(0, 1)
    with pytest.raises(SimulationError, match="too many bursts are under way"):
        bench.sim.run(20)


def test_what_moves_while_it_waits_ends_the_simulation():
    for pins, change in ((dict(s_aw_addr=BASE, s_aw_valid=1), dict(s_aw_addr=BASE + SIZE)),
                         (dict(s_w_data=1, s_w_valid=1), dict(s_w_data=2)),
                         (dict(s_w_data=1, s_w_valid=1), dict(s_w_valid=0))):  # fmt: skip
        bench = Bench()
        with bench.sim:
            bench.memory.behave(stalls=dict(aw=1.0, w=1.0))
            bench.sim.set(s_aw_size=AXI.offset_bits, s_aw_burst=INCR, s_aw_len=0, s_aw_id=0)
            bench.sim.run(2)
            bench.sim.set(**pins)
            bench.sim.run(1)
            bench.sim.set(**change)
            with pytest.raises(SimulationError, match="what was offered and not taken has changed"):
                bench.sim.run(1)


def test_valid_in_reset_ends_the_simulation(bench):
    bench.sim.set(rst=1)
    with pytest.raises(SimulationError, match="writes: valid is not low in reset"):
        for _ in range(4):
            bench.sim.set(s_w_valid=1)  # its source takes it back
            bench.sim.run(1)
