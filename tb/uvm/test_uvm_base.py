"""The base shown on a fifo: it passes what is right, and every way to be wrong ends in the error meant for it."""

import pytest
import pyuvm

from llama2_myhdl.sim.runner import SIMULATORS
from tb.stream.uvm_buffers import BufferTest, check
from tb.stream.uvm_env import BufferPredictor
from tb.stream.uvm_sequences import BURSTS, LENGTH, BufferWork, RandomBurst, RandomBursts
from tb.uvm.coverage import CoverageHole
from tb.uvm.env import TRAFFIC, Stuck
from tb.uvm.grid import Grid
from tb.uvm.predictor import CorruptOne
from tb.uvm.scoreboard import LeftOver, Mismatch, WrongCount
from tb.uvm.seed import generator, seed

TESTS = 10


@pytest.mark.uvm
@pytest.mark.parametrize("sim", SIMULATORS)
def test_base(sim):
    check("fifo-3", __name__, sim, TESTS)


class FifoTest(BufferTest):
    """Bursts alone, which promise no bins."""

    SEQUENCE, GOALS = RandomBursts, False


@pyuvm.test(timeout_time=1, timeout_unit="ms")
class Everything(BufferTest):
    """All work, all bins hit."""


class ExtremeBurst(RandomBurst):
    def value(self, rng, low, high):
        return rng.choice((low, high))


@pyuvm.test(timeout_time=1, timeout_unit="ms")
class ExtremeValues(FifoTest):
    """The factory swaps the sequence item; the environment is the same."""

    OVERRIDES = {RandomBurst: ExtremeBurst}

    def check_phase(self):
        counts = self.env.coverage.grid["values"].counts
        assert sum(counts.values()) > 0 and not any(hits for (size, _), hits in counts.items() if size == "other")


class Corrupted(CorruptOne, BufferPredictor):
    pass


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongValueIsSeen(FifoTest):
    OVERRIDES = {BufferPredictor: Corrupted}


class OneTooMany(BufferPredictor):
    """Expects a beat that never comes."""

    def extract_phase(self):
        self.predict("m", dict(data=0, last=0, tag=0))


class OneTooFew(BufferPredictor):
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
    OVERRIDES = {BufferPredictor: OneTooMany}


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=LeftOver)
class SurplusBeatIsSeen(FifoTest):
    OVERRIDES = {BufferPredictor: OneTooFew}


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
    OVERRIDES = {RandomBursts: Silent}


class Blocked(RandomBursts):
    async def body(self):
        self.env.agents["m"].pause(1.0)
        await self.env.feed(s=[self.beats(10)])


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Stuck)
class HangIsSeen(FifoTest):
    """A block that takes nothing any more ends the test, long before the time-out."""

    OVERRIDES = {RandomBursts: Blocked}


class Unannounced(BufferWork):
    async def body(self):
        await self.bursts("free")
        self.env.agents["m"].pause(1.0)
        await self.env.feed(s=[self.beats(1)])
        await self.rest()
        await self.env.reset(lost=0)


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=WrongCount)
class WrongLossIsSeen(FifoTest):
    """A reset loses what was inside, and the sequence must know how much that is."""

    SEQUENCE = Unannounced


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=CoverageHole)
class EmptyBinIsSeen(FifoTest):
    GOALS = True


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
