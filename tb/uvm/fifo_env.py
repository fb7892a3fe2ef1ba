"""The smallest environment: a fifo, whose outputs are its inputs. Carries the tests of the base itself."""

from llama2_myhdl.rtl.stream.stream import Stream, bit, sint
from tb.uvm.block_test import BlockSequence, BlockTest
from tb.uvm.coverage import Coverage
from tb.uvm.env import TRAFFIC, BlockEnv
from tb.uvm.grid import Grid
from tb.uvm.item import Burst
from tb.uvm.predictor import Predictor

BITS = 13
LOW, HIGH = -(1 << BITS - 1), (1 << BITS - 1) - 1
BURSTS, LENGTH = 10, 6  # bursts at each level of traffic, beats each


def stream():
    return Stream(data=sint(BITS), last=bit())


class FifoPredictor(Predictor):
    """What goes in comes out."""

    def take(self, port, beat):
        self.predict("m", beat)
        self.transactions.write(beat)


class FifoCoverage(Coverage):
    def grids(self):
        yield Grid("values", size=("low", "high", "other"), traffic=TRAFFIC)

    def write(self, beat):
        size = {LOW: "low", HIGH: "high"}.get(beat["data"], "other")
        self.grid["values"].sample(size=size, traffic=self.parent.level)


class FifoEnv(BlockEnv):
    PREDICTOR, COVERAGE, QUIET = FifoPredictor, FifoCoverage, 50

    def streams(self):
        return dict(s=stream(), m=stream())


class RandomBurst(Burst):
    """LENGTH beats."""

    def randomize(self, rng):
        self.payloads = [dict(data=self.value(rng), last=rng.randrange(2)) for _ in range(LENGTH)]

    def value(self, rng):
        return rng.choice((LOW, HIGH, rng.randint(LOW, HIGH)))


class RandomBursts(BlockSequence):
    """Bursts at every level of traffic."""

    LEVELS = tuple(TRAFFIC)

    async def body(self):
        for level in self.LEVELS:
            self.env.traffic(level)
            bursts = [RandomBurst.create(f"burst{n}") for n in range(BURSTS)]
            for burst in bursts:
                burst.randomize(self.rng)
            self.env.promise(m=BURSTS * LENGTH)
            await self.env.feed(s=[burst.payloads for burst in bursts])
            await self.env.settled()


class FifoTest(BlockTest):
    ENV, SEQUENCE = FifoEnv, RandomBursts
