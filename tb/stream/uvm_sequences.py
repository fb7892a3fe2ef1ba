"""Work for the blocks that hold stream entries: random bursts, full and empty, bubbles, and resets under way."""

from itertools import product

import cocotb
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from tb.uvm.block_test import BlockSequence
from tb.uvm.env import TRAFFIC
from tb.uvm.item import Burst

BURSTS, LENGTH = 10, 6  # bursts at each level of traffic, beats each
REST = 20  # cycles in which whatever can move has moved


class RandomBurst(Burst):
    """Beats of a stream."""

    def randomize(self, rng, stream, length=LENGTH):
        signals = dict(zip(stream.payload, stream.fields()))
        ends = {name: (signal.min or 0, (signal.max or 2) - 1) for name, signal in signals.items()}  # None: a bool
        self.payloads = [{name: self.value(rng, *pair) for name, pair in ends.items()} for _ in range(length)]

    def value(self, rng, low, high):
        return rng.choice((low, high, rng.randint(low, high)))


class RandomBursts(BlockSequence):
    """Bursts at every level of traffic."""

    LEVELS = tuple(TRAFFIC)

    async def body(self):
        for level in self.LEVELS:
            await self.bursts(level)

    def beats(self, length):
        burst = RandomBurst.create("burst")
        burst.randomize(self.rng, self.env.agents["s"].port.stream, length)
        return burst.payloads

    async def bursts(self, level):
        self.env.traffic(level)
        self.env.promise(m=BURSTS * LENGTH)
        await self.env.feed(s=[self.beats(LENGTH) for _ in range(BURSTS)])
        await self.env.settled()


class BufferWork(RandomBursts):
    """Besides bursts all that traffic alone does not reach: the block is filled and drained at every level, offers come
    with gaps, resets come whatever is inside."""

    async def body(self):
        for level in self.LEVELS:
            await self.bursts(level)
            await self.fill()
        self.env.traffic("free")
        await self.bubbles()
        for count, offered in product(sorted({0, 1, self.env.capacity}), (False, True)):
            await self.reset(count, offered)
            await self.fill()

    async def rest(self, cycles=REST):
        """Cycles, from the middle of one to that of another."""
        await ClockCycles(self.env.scope.clk, cycles, FallingEdge)

    async def fill(self):
        """One entry that has to wait, then as many as there is room for and one more on offer; all of them leave."""
        source, sink = self.env.agents["s"], self.env.agents["m"]
        source.pause(0.0)
        sink.pause(1.0)
        beats = self.beats(self.env.capacity + 1)
        self.env.promise(m=len(beats))
        for part in (beats[:1], beats[1:]):
            await self.env.feed(s=[part])
            await self.rest()
        sink.pause(0.0)
        await self.env.settled()

    async def bubbles(self):
        """Runs and gaps of one, two and three."""
        source = self.env.agents["s"]
        for run, gap in product((1, 2, 3), repeat=2):
            source.pause(1.0)
            self.env.promise(m=run + 1)
            feeding = cocotb.start_soon(self.env.feed(s=[self.beats(run + 1)]))
            await self.rest()
            for pause, cycles in ((0.0, run), (1.0, gap), (0.0, 1)):
                source.pause(pause)
                await self.rest(cycles)
            await feeding
            await self.env.settled()

    async def reset(self, count, offered):
        """With so many entries inside, which are lost; `offered`: and with one that waits at the input, and is not."""
        source, sink = self.env.agents["s"], self.env.agents["m"]
        sink.pause(1.0)
        await self.env.feed(s=[self.beats(count)])
        await self.rest()
        source.pause(1.0)
        await self.env.feed(s=[self.beats(offered)])
        await self.rest()
        source.pause(0.0)
        await RisingEdge(self.env.scope.clk)  # at this one it is offered
        await self.env.reset(lost=count)
        self.env.promise(m=int(offered))
        await self.rest()
        sink.pause(0.0)
        await self.env.settled()
