"""Beats of a station's tapes as they come: one a cycle from the chip, or from a memory, burst by burst."""

from collections import deque
from dataclasses import dataclass

from llama2_myhdl.rtl.axi.region import region_ports
from llama2_myhdl.rtl.embedding import embedding, row_elements
from llama2_myhdl.rtl.memory import banked_ram
from llama2_myhdl.rtl.stream import elastic
from llama2_myhdl.sim.dram import REFRESH_PERIOD, Dram
from llama2_myhdl.sim.memories import FIRST
from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.embedding import most_row_beats

# The two constants of the model that are measured and not read from a block: cycles from a free place in a queue to the
# address at the memory, and from a word at the bus to the beat at the matvec. At a latency of 200 cycles without
# refreshes default-bus takes 4,878 cycles a token, and so it does with these; they are the same for all builds. Their
# sum is what counts.
ASKING, COMING = 2, 6
ROW_REGISTERS = 3  # a token's request to the first step, the last step to the bursts, and these


@dataclass(frozen=True)
class Bus:
    """What brings the tapes of a station.

    bits: of a word; burst: words of the longest burst; depth: words of each queue; outstanding: bursts under way;
    beat_bits: of a beat of the tape; latency: cycles of a read; refresh: percent of the cycles in which nothing comes;
    pace: cycles a word, more than one where the memory is slower than the bus; first: word at which the tapes begin.
    """

    bits: int
    burst: int
    depth: int
    outstanding: int
    beat_bits: int
    latency: float
    refresh: float
    pace: float = 1.0
    first: int = 0

    @property
    def beat_words(self) -> float:
        """Words of the bus in a beat of the tape."""
        return self.beat_bits / self.bits

    @property
    def behind(self) -> int:
        """Words that have left the queue's places and were not taken: in its reader and where beats are cut."""
        return banked_ram.latency(self.depth, self.bits + 1) + elastic.TURN + (self.beat_bits != self.bits)

    def words(self, beats: int) -> int:
        """Words of a tape of so many beats."""
        return -(-beats * self.beat_bits // self.bits)


def bus_of(axi: ReadMaster, dram: Dram, beat_bits: int, first: int = FIRST) -> Bus:
    """Of a build's port, and of the memory that a simulation has there; first: byte address."""
    sizes = (axi.data_bits, axi.burst, axi.depth, axi.outstanding, beat_bits)
    return Bus(*sizes, dram.latency, dram.refresh, first=first // axi.word_bytes)


def row_wait(build: BuildConfig, bus: Bus) -> float:
    """Cycles by which a row of the embedding comes later from a memory than from the chip, in the mean."""
    rest = region_ports(build.embedding, build.beat_bits, most_row_beats(build))["rest"]
    asked = len(rest) + 1 + ROW_REGISTERS + ASKING  # a step of the address for each bit of a row's words
    pause = bus.refresh / 100 * REFRESH_PERIOD
    found = bus.latency + bus.refresh / 100 * pause / 2  # in a pause it waits for half of it
    return asked + found + COMING + row_elements.LATENCY - embedding.latency(build)


class Chip:
    """Tapes that have a beat in every cycle."""

    sent = 0  # words of a bus

    def take(self, beats: int, at: int, head: bool = False) -> int:
        """The cycle of the last of so many beats, the first of which may pass in the cycle `at`."""
        return at + beats - 1

    def claim(self, words: float, at: int) -> None:
        """So many words of the bus go elsewhere."""

    def pass_over(self, beats: int, cycles: int) -> None:
        """So many beats of the layers' tape were taken, as those before, in so many cycles."""


class _Queue:
    """Words of one tape: asked for, on their way, and taken. Cycles are those at the matvec."""

    def __init__(self, words: int, place: int, beats: int):
        self.words = words  # of the whole tape, which comes again and again
        self.place = place  # of its first one
        self.beats = self.to_come = beats  # of the tape, and of this round
        self.asked = 0  # of this round
        self.room = 0.0  # words that may still be asked for
        self.bursts = deque()  # [words left, first cycle, last cycle] of each one asked for

    def next_burst(self, longest: int) -> int:
        """Words of it: it ends at a multiple of the longest one, or with the tape (rtl/axi/bursts.py)."""
        return min(longest - (self.place + self.asked) % longest, self.words - self.asked)


class Memory:
    """What is behind a bus: it answers bursts in the order of asking, and while it refreshes nothing comes."""

    def __init__(self, bus: Bus):
        self._bus = bus
        self._free = 0.0  # it may send its next word
        self._ends = deque([0.0] * bus.outstanding, maxlen=bus.outstanding)  # of the bursts before
        self._pause = REFRESH_PERIOD * bus.refresh / 100

    def send(self, words: float, wanted: float) -> tuple[float, float]:
        """Cycles of a burst's first and last word; wanted: the cycle from which there is room for it."""
        asked = max(wanted, self._ends[0]) + ASKING  # no more may be under way
        begin = self._sends(max(asked + self._bus.latency, self._free))
        end = self._sends(begin + (words - 1) * self._bus.pace, begin)
        self._free = end + self._bus.pace
        self._ends.append(end + 1)
        return begin, end

    def _sends(self, cycle: float, since: float | None = None) -> float:
        """The cycle, put off by the refreshes that it meets: itself, or all since another one."""
        if not self._pause:
            return cycle
        if since is not None:
            begun, quiet = since // REFRESH_PERIOD, REFRESH_PERIOD - self._pause
            while cycle - begun * REFRESH_PERIOD >= quiet:
                cycle, begun = cycle + self._pause, begun + 1
            return cycle
        into = cycle % REFRESH_PERIOD
        return cycle - into + REFRESH_PERIOD if into >= REFRESH_PERIOD - self._pause else cycle

    def claim(self, words: float, at: int) -> None:
        """So many words go elsewhere, before all others."""
        self._free = max(self._free, at) + words * self._bus.pace / (1 - self._bus.refresh / 100)

    def move_on(self, cycles: int) -> None:
        """All that is under way comes so many cycles later."""
        self._free += cycles
        self._ends = deque((end + cycles for end in self._ends), maxlen=self._ends.maxlen)


class Queues:
    """Tapes behind a bus: that of the layers and that of the head, in one memory."""

    def __init__(self, bus: Bus, layers: int, head: int, place: int = 0):
        """layers, head: beats of the two tapes, 0 where a station has none; place: words in front of them."""
        self._bus, self._memory = bus, Memory(bus)
        behind = place + bus.words(layers)
        self._queues = [_Queue(bus.words(layers), place, layers), _Queue(bus.words(head), behind, head)]
        self.sent = 0  # words asked for
        for queue in self._queues:
            queue.room = bus.depth + bus.behind
        while any([self._ask(queue, 0.0) for queue in self._queues]):
            pass

    def _ask(self, queue: _Queue, now: float) -> bool:
        """Ask for a burst, if there is room for all of it."""
        longest = self._bus.burst
        words = queue.next_burst(longest) if queue.words else 0
        if not words or queue.room < words:
            return False
        begin, end = self._memory.send(words, now)
        queue.bursts.append([words, begin + COMING, end + COMING])
        queue.room -= words
        self.sent += words
        queue.asked = (queue.asked + words) % queue.words
        return True

    def take(self, beats: int, at: int, head: bool = False) -> int:
        """As of `Chip`."""
        queue, a_beat, now = self._queues[head], self._bus.beat_words, float(at)
        left = beats * a_beat
        while left > 0:
            burst = queue.bursts[0]
            more = queue.next_burst(self._bus.burst) - queue.room  # words to take until another one has room
            words = min(burst[0], left, more) if more > 0 else min(burst[0], left)
            share = words / burst[0]
            last = burst[1] + (burst[2] - burst[1]) * share if share < 1 else burst[2]
            now = max(max(now, burst[1]) + words / a_beat, last + 1)
            burst[0] -= words
            burst[1] = last
            if not burst[0]:
                queue.bursts.popleft()
            queue.room += words
            left -= words
            while self._ask(queue, now):
                pass
        self._count(queue, beats)
        return round(now) - 1

    def _count(self, queue: _Queue, beats: int) -> None:
        """Beats were taken; what is left of the word with the tape's last one goes with it."""
        queue.to_come -= beats
        if not queue.to_come:
            queue.to_come = queue.beats
            rest = queue.words - queue.beats * self._bus.beat_words
            if rest:
                queue.bursts[0][0] -= rest
                queue.room += rest
                if not queue.bursts[0][0]:
                    queue.bursts.popleft()

    def claim(self, words: float, at: int) -> None:
        """As of `Chip`."""
        self._memory.claim(words, at)

    def pass_over(self, beats: int, cycles: int) -> None:
        """As of `Chip`: all times move on."""
        layers, words = self._queues[0], self._bus.words(beats)
        layers.asked = (layers.asked + words) % layers.words
        layers.to_come -= beats
        self.sent += words
        self._memory.move_on(cycles)
        for queue in self._queues:
            for burst in queue.bursts:
                burst[1] += cycles
                burst[2] += cycles
