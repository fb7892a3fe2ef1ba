"""The base shown on a fifo: it passes what is right, and every way to be wrong ends in the error meant for it."""

import pytest
import pyuvm

from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import bit
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.uvm.coverage import CoverageHole
from tb.uvm.env import TRAFFIC, Stuck
from tb.uvm.fifo_env import BURSTS, HIGH, LENGTH, LOW, FifoPredictor, FifoTest, RandomBurst, RandomBursts, stream
from tb.uvm.grid import Grid
from tb.uvm.predictor import CorruptOne
from tb.uvm.scoreboard import LeftOver, Mismatch, WrongCount
from tb.uvm.seed import generator, seed

TESTS = 9


@pytest.mark.uvm
@pytest.mark.parametrize("sim", SIMULATORS)
def test_base(sim):
    run(fifo, dict(clk=bit(), rst=bit(), s=stream(), m=stream(), DEPTH=3), __name__, sim, tests=TESTS)


@pyuvm.test(timeout_time=1, timeout_unit="ms")
class Everything(FifoTest):
    """All bursts at all levels of traffic, all bins hit."""


class ExtremeBurst(RandomBurst):
    def value(self, rng):
        return rng.choice((LOW, HIGH))


@pyuvm.test(timeout_time=1, timeout_unit="ms")
class ExtremeValues(FifoTest):
    """The factory swaps the sequence item; the environment is the same."""

    OVERRIDES, GOALS = {RandomBurst: ExtremeBurst}, False

    def check_phase(self):
        counts = self.env.coverage.grid["values"].counts
        assert sum(counts.values()) > 0 and not any(hits for (size, _), hits in counts.items() if size == "other")


class Corrupted(CorruptOne, FifoPredictor):
    pass


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongValueIsSeen(FifoTest):
    OVERRIDES = {FifoPredictor: Corrupted}


class OneTooMany(FifoPredictor):
    """Expects a beat that never comes."""

    def extract_phase(self):
        self.predict("m", dict(data=0, last=0))


class OneTooFew(FifoPredictor):
    """Does not expect the very last beat."""

    def build_phase(self):
        super().build_phase()
        self.left = len(TRAFFIC) * BURSTS * LENGTH - 1

    def predict(self, port, beat):
        if self.left:
            self.left -= 1
            super().predict(port, beat)


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=LeftOver)
class MissingBeatIsSeen(FifoTest):
    OVERRIDES = {FifoPredictor: OneTooMany}


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=LeftOver)
class SurplusBeatIsSeen(FifoTest):
    OVERRIDES = {FifoPredictor: OneTooFew}


class Unpromised(RandomBursts):
    async def body(self):
        await super().body()
        self.env.promise(m=1)


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=WrongCount)
class WrongNumberIsSeen(FifoTest):
    OVERRIDES = {RandomBursts: Unpromised}


class Silent(RandomBursts):
    async def body(self):
        """Nothing is sent, nothing compared."""


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=WrongCount)
class NothingComparedIsSeen(FifoTest):
    OVERRIDES, GOALS = {RandomBursts: Silent}, False


class Blocked(RandomBursts):
    async def body(self):
        self.env.agents["m"].pause(1.0)
        await self.env.feed(s=[[dict(data=n, last=0) for n in range(10)]])


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Stuck)
class HangIsSeen(FifoTest):
    """A block that takes nothing any more ends the test, long before the time-out."""

    OVERRIDES, GOALS = {RandomBursts: Blocked}, False


class Unhindered(RandomBursts):
    LEVELS = ("free",)


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=CoverageHole)
class EmptyBinIsSeen(FifoTest):
    OVERRIDES = {RandomBursts: Unhindered}


def test_grid():
    grid = Grid("g", goal=2, ignore=lambda a, b: a == "x" and b == 2, a=("x", "y"), b=(1, 2))
    for _ in range(2):
        grid.sample(a="x", b=1)
        grid.sample(a="y", b=2)
    grid.sample(a="y", b=1)
    assert grid.holes == [("y", 1)] and grid.hits == 5
    title = "g (b across): 2 of 3 bins, goal 2 each, 5 hits"
    assert grid.table().splitlines() == [title, "a  1   2", "x  2   -", "y  1!  2"]
    with pytest.raises(KeyError, match="no bin"):
        grid.sample(a="x", b=2)
    with pytest.raises(KeyError, match="axes"):
        grid.sample(a="x")


def test_seed(monkeypatch):
    monkeypatch.delenv("SEED", raising=False)
    assert seed(3) == 3
    monkeypatch.setenv("SEED", "12")
    assert seed(3) == 12
    assert generator(12, "a").random() == generator(12, "a").random() != generator(12, "b").random()
    monkeypatch.setenv("SEED", "twelve")
    with pytest.raises(ValueError, match="SEED: must be a whole number, is 'twelve'"):
        seed(3)
