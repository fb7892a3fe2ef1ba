"""How the key/value cache of an attention lies in memory.

    head:   group 0, group 1 ..                       positions 0 .. of one layer and sequence, in order
    group:  exponents, row 0 .. row G - 1             one beat of exponents, then the rows of G positions
    row:    key lanes, value lanes, zeros             whole beats of the bus
    exponents, byte 2 * i and 2 * i + 1: of the key and of the value of the group's row i

Heads lie in the order {attention unit, kv head of the unit, layer, sequence}. All rows of a head up to any position are
one run of beats, and none of them has anything that is not wanted but the end of the last group's exponents.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llama2_myhdl.spec.config import ConfigError, clog2

if TYPE_CHECKING:
    from llama2_myhdl.spec.axi import ReadMaster
    from llama2_myhdl.spec.config import BuildConfig

EXPONENT_BYTES = 2  # of a position: the key's, the value's


@dataclass(frozen=True)
class CacheLayout:
    """axi: the bus; key_bits, value_bits: of a whole row; positions: of a head, a power of two; unit_heads, units:
    heads of an attention unit, counted with layers and sequences, and units. ConfigError where it is past the last
    address.
    """

    axi: "ReadMaster"
    key_bits: int
    value_bits: int
    positions: int
    unit_heads: int
    units: int

    def __post_init__(self):
        if self.beats > 1 << self.axi.word_address_bits:
            most = 1 << self.axi.address_bits
            raise ConfigError(f"cache in memory: must be at most {most} bytes by its address_bits, is {self.bytes}")

    @property
    def row_beats(self) -> int:
        """Beats of a key row and a value row side by side."""
        return -(-(self.key_bits + self.value_bits) // self.axi.data_bits)

    @property
    def group_bits(self) -> int:
        """Bits that count the rows of a group: as many as a beat has exponents for."""
        return clog2(self.axi.word_bytes // EXPONENT_BYTES)

    @property
    def group(self) -> int:
        """Rows of a group."""
        return 1 << self.group_bits

    @property
    def head_beats(self) -> int:
        """Beats from one head to the next."""
        return self.positions * self.row_beats + -(-self.positions // self.group)

    @property
    def beats(self) -> int:
        """Beats in all."""
        return self.units * self.unit_heads * self.head_beats

    @property
    def bytes(self) -> int:
        """Bytes in all."""
        return self.beats * self.axi.word_bytes

    def rows_beats(self, rows: int) -> int:
        """Beats from a head's first one to the last of so many rows (1 or more)."""
        return rows * self.row_beats + -(-rows // self.group)

    def places(self, unit: int, head: int, position: int) -> tuple[int, int]:
        """Beats of a row's exponents and of its first word, from the cache's front; head: as `unit_heads` counts."""
        front = (unit * self.unit_heads + head) * self.head_beats
        group, row = divmod(position, self.group)
        exponents = front + group * (1 + self.group * self.row_beats)
        return exponents, exponents + 1 + row * self.row_beats


def layout(build: "BuildConfig", axi: "ReadMaster | None" = None) -> CacheLayout:
    """Of one engine of a build; axi: the bus, if not the build's own."""
    layers = -(-build.max_layers // build.engines)
    heads = -(-build.max_kv_heads // build.attention_units) * layers
    return CacheLayout(
        axi or build.cache,
        key_bits=build.max_head_dim * build.key_bits,
        value_bits=build.max_head_dim * build.value_bits,
        positions=build.max_seq,
        unit_heads=heads * build.sequences,
        units=build.attention_units,
    )


def cache_count(build: "BuildConfig") -> int:
    """Caches of a build that lie in memory: one an engine, or none."""
    return build.engines if build.cache else 0
