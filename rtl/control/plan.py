"""What the hardware knows of each address: the description of the registers as tables for a build."""

from dataclasses import dataclass

from llama2_myhdl.rtl.stream.stream import uint
from llama2_myhdl.spec import registers as image
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.control import (
    INDEX_BITS,
    PROMPT_DEPTH,
    REGISTERS,
    TOKEN_DEPTH,
    WORD_BITS,
    WORD_BYTES,
    allowed,
    boot_bus,
    cache_pages,
    in_build,
    tape_count,
)
from llama2_myhdl.spec.link import DESCRIBED

UNLOCKED, BY_IMAGE, BY_SLOT, BY_PROMPT, BY_START, BY_PROMPT_TOKEN = range(6)  # what an access waits for
LOCK_BITS, LOCK_COUNT = 3, 6
_LOCKS = {"image": BY_IMAGE, "slot": BY_SLOT, "prompt": BY_PROMPT}
_OF_NAME = {"control": BY_START, "prompt": BY_PROMPT_TOKEN}

CONSTANT, LIVE, BUILD, SHAPE = range(4)  # where a word comes from
SOURCE_BITS = 2


def index_of(name: str) -> int:
    """Number of a register: its address in words."""
    return REGISTERS[name].address // WORD_BYTES


BUILD_FIRST, SHAPE_FIRST = index_of(f"build.{DESCRIBED[0]}"), index_of(f"shape.{image.REGISTERS[0]}")


def live_words(build: BuildConfig) -> list[str]:
    """Names of the registers whose words are Signals, in the order of their places."""
    fixed = ("id", "version", "bus", "parts", "cache")
    names = [name for name, register in REGISTERS.items() if register.readable and in_build(register, build)]
    return [name for name in names if name not in fixed and not name.startswith(("build.", "shape."))]


@dataclass(frozen=True)
class Plan:
    """Tables by the number of a register: the accesses that there are, the lock, bits that a write must not have, where
    a word comes from, its place among the live ones, and its value if it is constant."""

    readable: tuple[int, ...]
    writable: tuple[int, ...]
    lock: tuple[int, ...]
    outside: tuple[int, ...]
    source: tuple[int, ...]
    place: tuple[int, ...]
    constant: tuple[int, ...]
    places: int


def plan(build: BuildConfig, stations: int) -> Plan:
    """The tables of a build with so many stations that count."""
    size, bus, live = 1 << INDEX_BITS, boot_bus(build), live_words(build)
    tables = {name: [0] * size for name in ("readable", "writable", "lock", "source", "place", "constant")}
    outside = [(1 << WORD_BITS) - 1] * size
    parts = dict(stations=stations, tapes=tape_count(build), prompt_depth=PROMPT_DEPTH, token_depth=TOKEN_DEPTH)
    constants = dict(
        id=REGISTERS["id"].reset,
        version=REGISTERS["version"].reset,
        bus=REGISTERS["bus"].pack(data_bits=bus.data_bits, address_bits=bus.address_bits),
        parts=REGISTERS["parts"].pack(**parts),
        cache=REGISTERS["cache"].pack(pages=cache_pages(build)),
    )
    for name, register in REGISTERS.items():
        if not in_build(register, build):
            continue
        index = index_of(name)
        tables["readable"][index] = int(register.readable)
        tables["writable"][index] = int(register.writable)
        tables["lock"][index] = _OF_NAME.get(name, _LOCKS.get(register.lock, UNLOCKED))
        tables["constant"][index] = constants.get(name, 0)
        tables["place"][index] = live.index(name) if name in live else 0
        tables["source"][index] = _source(name, live)
        outside[index] ^= allowed(register, build)
    frozen = {name: tuple(table) for name, table in tables.items()}
    return Plan(**frozen, outside=tuple(outside), places=len(live))


def _source(name: str, live: list[str]) -> int:
    if name.startswith("build."):
        return BUILD
    if name.startswith("shape."):
        return SHAPE
    return LIVE if name in live else CONSTANT


def stored(build: BuildConfig) -> dict:
    """A fresh Signal for each setting of a build, by name, as wide as what may be written to it."""
    names = [name for name, register in REGISTERS.items() if register.stored and in_build(register, build)]
    return {name: uint(max(1, allowed(REGISTERS[name], build).bit_length())) for name in names}
