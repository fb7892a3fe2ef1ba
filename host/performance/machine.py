"""A decoder, station behind station: cycles of the tokens of one story, and of a prompt whose tokens follow each other."""

from collections.abc import Iterator
from dataclasses import dataclass

from llama2_myhdl.host.performance.station import Memory, Packet, Station, row_bytes
from llama2_myhdl.host.performance.supply import Bus, Chip, Queues
from llama2_myhdl.host.performance.ways import ways
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.program import layer_split

AGAIN = 2  # cycles from a packet's last element to when a station takes the next packet (rtl/layer/intake.py)


@dataclass(frozen=True)
class Machine:
    """bus: what brings the tapes of each station; None: they are on the chip. row_words: of that bus, for a key row and
    its value row, where keys and values lie there too; 0: they are on the chip. ConfigError when the shape is too large.
    """

    shape: ModelShape
    build: BuildConfig
    bus: Bus | None = None
    row_words: float = 0.0

    def __post_init__(self):
        self.build.check(self.shape)

    def stations(self) -> list[Station]:
        """Fresh ones: what is behind a bus remembers."""
        low, extra = layer_split(self.shape.n_layers, self.build.engines)
        found, first = [], 0
        alone = self.build.engines == 1
        for engine in range(self.build.engines):
            layers = low + (engine < extra)
            found.append(self._station(first, layers, alone))
            first += layers
        return found if alone else [*found, self._station(self.shape.n_layers, 0, True)]

    def _station(self, first: int, layers: int, head: bool) -> Station:
        tape = Queues(self.bus) if self.bus else Chip()
        return Station(self.shape, self.build, first, layers, head, tape, Memory(self.row_words))

    def story(self, positions: range) -> Iterator[int]:
        """Cycles of each position's token, from the token before it to its own."""
        way, chain, begin = ways(self.build), self.stations(), 0
        for pos in positions:
            x = Packet(begin, begin + self.shape.dim - 1)
            for station in chain:
                x = station.token(pos, x)
            end = x + way.requested
            yield end - begin
            begin = end

    def prompt(self, positions: range) -> Iterator[int]:
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
