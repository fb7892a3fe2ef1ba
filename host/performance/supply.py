"""Beats of a station's tapes as they come: one a cycle from the chip, or through a queue from a memory.

A memory is a flow: what it brings a cycle is an average, without its refreshes, and its queue is filled while nothing
takes beats from it. Two tapes of a station share the memory.
"""

from dataclasses import dataclass
from math import ceil

from llama2_myhdl.spec.axi import ReadMaster

ASKING = 12  # cycles from a free place to the address at the memory, and from its answer to the beat: registers


@dataclass(frozen=True)
class Bus:
    """A memory as the queues see it. words: that it brings a cycle; depth: of each queue; beat_words: of a beat."""

    words: float
    depth: int
    beat_words: float


def bus(master: ReadMaster, beat_bits: int, latency: float, refresh: float) -> Bus:
    """latency: cycles of a read; refresh: percent of the cycles without a beat.

    No more can be under way than the queue has room for, and a burst is asked for when it has room for all of it: with
    a long latency that is what the memory brings.
    """
    under_way = min(master.depth, master.outstanding * master.burst)
    flow = min(1.0, under_way / (latency + master.burst + ASKING))
    return Bus(flow * (1 - refresh / 100), master.depth, beat_bits / master.data_bits)


class Chip:
    """Tapes that have a beat in every cycle."""

    def take(self, beats: int, at: int, head: bool = False) -> int:
        """The cycle of the last of so many beats, the first of which may pass in the cycle `at`."""
        return at + beats - 1

    def claim(self, words: float, at: int) -> None:
        """So many words of the bus go elsewhere."""


class Queues:
    """Tapes behind a bus: queues of the layers and of the head, which a memory fills in turns."""

    def __init__(self, bus: Bus):
        self._bus = bus
        self._levels = [0.0, 0.0]  # words; below zero: owed to others
        self._now = 0.0

    def _fill(self, to: float, drain: int | None = None, rate: float = 0.0) -> None:
        """Time goes on; words of the queue `drain` leave at a rate that it can keep until then."""
        left = max(0.0, to - self._now)
        self._now = max(self._now, to)
        if drain is not None:
            self._levels[drain] -= rate * left
        share = self._bus.words * left
        depth = self._bus.depth
        rooms = [max(0.0, depth - level) for level in self._levels]
        even = share / 2
        given = [min(rooms[0], max(even, share - rooms[1])), 0.0]
        given[1] = min(rooms[1], share - given[0])
        for k in (0, 1):
            self._levels[k] += given[k]

    def take(self, beats: int, at: int, head: bool = False) -> int:
        """As of `Chip`."""
        self._fill(at)
        needed = beats * self._bus.beat_words
        level = self._levels[head]
        cycles = float(beats)
        # what is there, and what comes meanwhile
        if level + self._bus.words * cycles < needed:
            cycles = max(cycles, (needed - level) / self._bus.words)
        self._fill(at + cycles, int(head), needed / cycles)
        return ceil(at + cycles) - 1

    def claim(self, words: float, at: int) -> None:
        """As of `Chip`: they are owed before the queues get more."""
        self._fill(at)
        self._levels[0] -= words
