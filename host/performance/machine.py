"""A decoder, station behind station: cycles of the tokens of a story, or of a prompt whose tokens follow each other."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llama2_myhdl.host.performance.rows import Cache
from llama2_myhdl.host.performance.station import Packet, Station
from llama2_myhdl.host.performance.supply import Bus, Chip, Queues, row_wait
from llama2_myhdl.host.performance.ways import ways
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.program import head_beats, layer_beats, layer_split

AGAIN = 2  # cycles from a packet's last element to when a station takes the next packet (rtl/layer/intake.py)


@dataclass(frozen=True)
class Story:
    """cycles: of each token, from the one before it to its own; words: that all memories were asked for."""

    cycles: list[int]
    words: int


@dataclass(frozen=True)
class Machine:
    """bus: what brings the tapes of each station; None: they are on the chip. cache: that of each station in memory;
    None: it is on the chip. ConfigError when the shape is too large for the build."""

    shape: ModelShape
    build: BuildConfig
    bus: Bus | None = None
    cache: Cache | None = None

    def __post_init__(self):
        self.build.check(self.shape)

    def stations(self) -> list[Station]:
        """Fresh ones: what is behind a bus remembers."""
        low, extra = layer_split(self.shape.n_layers, self.build.engines)
        counts = [low + (engine < extra) for engine in range(self.build.engines)]
        alone = self.build.engines == 1
        found, first, place = [], 0, 0
        for layers, head in [(count, alone) for count in counts] + ([] if alone else [(0, True)]):
            tape = Chip()
            if self.bus:
                own, last = layers * layer_beats(self.shape, self.build), head * head_beats(self.shape, self.build)
                tape = Queues(self.bus, own, last, self.bus.first + place)
                place += self.bus.words(own)
            found.append(Station(self.shape, self.build, first, layers, head, tape, self.cache))
            first += layers
        return found

    def story(self, positions: Iterable[int]) -> Story:
        """Tokens of which each one waits for the one before."""
        way, chain, begin, cycles = ways(self.build), self.stations(), 0, []
        wait = round(row_wait(self.build, self.bus)) if self.bus and self.build.embedding else 0
        for pos in positions:
            x = Packet(begin, begin + self.shape.dim - 1)
            for station in chain:
                x = station.token(pos, x)
            end = x + way.requested + wait
            cycles.append(end - begin)
            begin = end
        return Story(cycles, sum(station.tape.sent for station in chain))

    def prompt(self, positions: Iterable[int]) -> Iterator[int]:
        """Cycles from one token of a prompt to the next at the last engine; no token is scored.

        A station takes a packet when the last element of the one before has left, which waits until the next one does.
        """
        chain, dim = self.stations()[: self.build.engines], self.shape.dim
        free, before = [0] * len(chain), None
        for pos in positions:
            x = Packet(0, dim - 1)  # looked up before it is wanted
            for k, station in enumerate(chain):
                begin = max(x.first, free[k])
                taken = max(x.last, begin + dim)
                if k:
                    free[k - 1] = taken + AGAIN
                x = station.token(pos, Packet(begin, taken), scored=False)
            free[-1] = x.last + AGAIN
            if before is not None:
                yield x.last - before
            before = x.last
