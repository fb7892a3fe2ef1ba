"""AXI4 as a build uses it: the sizes of a master, their limits, and the protocol's codes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llama2_myhdl.spec.cache import layout
from llama2_myhdl.spec.config import ConfigError, clog2

if TYPE_CHECKING:
    from llama2_myhdl.spec.config import BuildConfig

PAGE = 4096  # bytes; no burst crosses from one to the next
MAX_BURST = 256  # beats, by the protocol
LEN_BITS, SIZE_BITS, BURST_BITS, CACHE_BITS, PROT_BITS, RESP_BITS = 8, 3, 2, 4, 3, 2
INCR = 1  # ARBURST: each beat stands behind the one before
BUFFERABLE = 0b0011  # ARCACHE: normal memory, not cached on the way
DATA = 0  # ARPROT: unprivileged, secure, data
OKAY, EXOKAY, SLVERR, DECERR = range(4)


def _within(what: str, value: int, low: int, high: int, power: bool = False) -> None:
    """Raise ConfigError unless the value is an int within the limits, and a power of two where it must be."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not low <= value <= high or (power and value & (value - 1)):
        kind = "a power of two, " if power else ""
        raise ConfigError(f"{what}: must be {kind}{low} to {high}, is {value!r}")


@dataclass(frozen=True)
class ReadMaster:
    """Sizes of a master that reads, or reads and writes.

    data_bits: of the bus, 64 to 512; address_bits: of a byte address; burst: most beats of a burst, 2 to 256, a power
    of two, at most a page; depth: beats asked for and waiting, for each region that it reads: room for a burst and for
    as many beats as the memory's latency has cycles; outstanding: bursts under way. ConfigError.
    """

    data_bits: int = 128
    address_bits: int = 40
    burst: int = 64
    depth: int = 512
    outstanding: int = 8

    def __post_init__(self):
        _within("axi data_bits", self.data_bits, 64, 512, power=True)
        _within("axi address_bits", self.address_bits, 32, 64)
        _within("axi burst", self.burst, 2, min(MAX_BURST, PAGE // self.word_bytes), power=True)
        _within("axi depth", self.depth, 2 * self.burst, 1 << 16)
        _within("axi outstanding", self.outstanding, 2, 64)

    @property
    def word_bytes(self) -> int:
        """Bytes of one beat of the bus."""
        return self.data_bits // 8

    @property
    def offset_bits(self) -> int:
        """Bits of an address within a beat of the bus: zero in every address."""
        return clog2(self.word_bytes)

    @property
    def word_address_bits(self) -> int:
        """Bits of an address in beats of the bus."""
        return self.address_bits - self.offset_bits

    def check_beat(self, beat_bits: int) -> None:
        """Raise ConfigError unless a beat of so many bits is a part of a bus beat, or some of them: a power of two."""
        _within("tape beat_bits", beat_bits, 8, 1 << 16, power=True)

    def check_cache(self, build: "BuildConfig") -> None:
        """Raise ConfigError unless the cache of each engine of the build has room below the last address."""
        layout(build, self)

    def words(self, beats: int, beat_bits: int) -> int:
        """Bus beats that hold so many beats of a region."""
        return -(-beats * beat_bits // self.data_bits)
