"""Key and value rows of a cache in memory: when the last one of a pass of attention is stepped over."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from llama2_myhdl.host.performance.supply import Bus, Memory
from llama2_myhdl.spec.cache import layout
from llama2_myhdl.spec.config import BuildConfig

# Measured as those of `supply.py`, once and for all builds: cycles from a pass in the queue to when its first burst may
# be asked for; from a word at the bus to where it leaves the queue, and from a row's last one to the row's step; rows
# that have left the queue and wait for their step.
FINDING, LEAVING, STEPPING, AHEAD = 4, 3, 8, 4


@dataclass(frozen=True)
class Cache:
    """A cache in memory. bus: of all units together; words: of it, for the first so many rows of a head; own: the port
    is the cache's, and not that of the tapes."""

    bus: Bus
    words: Callable[[int], float]
    own: bool


def readers_of(cache: Cache, units: int) -> list["Reader"]:
    """One for each unit."""
    memory = Memory(cache.bus)
    return [Reader(cache, memory) for _ in range(units)]


def cache_of(build: BuildConfig, bus: Bus) -> Cache:
    """Of a build with its cache in memory behind a port of its own."""
    where = layout(build.engine)
    return Cache(bus, lambda rows: where.rows_beats(rows) if rows else 0, own=True)


class Reader:
    """What reads ahead of a unit's passes (`rtl/cache/head_reader.py`)."""

    def __init__(self, cache: Cache, memory: Memory):
        """memory: behind the cache's bus, of all units."""
        self._cache, self._memory = cache, memory
        self._room = float(cache.bus.depth)
        self._leaving = deque()  # [words, first cycle, last cycle] of each burst: they leave the queue

    def stepped(self, rows: int, pushed: int, begin: int) -> int:
        """The last of so many rows (1 or more); pushed: the pass is in the queue; begin: the first step may be then."""
        words, longest, asked, done = self._cache.words(rows), self._cache.bus.burst, float(pushed + FINDING), 0.0
        while done < words:
            burst = min(longest, words - done)
            asked = max(asked, self._space(burst))
            first, end = self._memory.send(burst, asked)
            rows_before, rows_then = (ceil(count / words * rows) - 1 for count in (done + 1, done + burst))
            last = max(end + STEPPING, begin + rows_then)
            leave = [max(first + LEAVING, begin + rows_before - AHEAD), max(end + LEAVING, begin + rows_then - AHEAD)]
            self._leaving.append([burst, *leave])
            self._room -= burst
            done += burst
        return ceil(last)

    def _space(self, words: float) -> float:
        """The cycle in which the queue has room for so many words."""
        at = 0.0
        while self._room < words and self._leaving:
            burst = self._leaving[0]
            left, first, last = burst
            taken = min(left, words - self._room)
            at = first + (last - first) * taken / left
            burst[:2] = left - taken, at
            self._room += taken
            if taken == left:
                self._leaving.popleft()
        return at
