"""Boards, models, and the build that a model gets on a board."""

from dataclasses import dataclass, replace
from difflib import get_close_matches

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.host.performance.dram import Dram
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.presets import PRESETS, build_for

CLOCK = 150.0  # MHz, of all boards: see `host/performance/report.py`
MOST_BUS_BITS = 512  # of `spec.axi.ReadMaster`


@dataclass(frozen=True)
class Board:
    """memory: what it is; ports, port_bits: between memory and logic; bytes: of the memory; multipliers: DSP
    slices. All from the vendor's data sheets."""

    name: str
    memory: str
    dram: Dram
    ports: int
    port_bits: int
    bytes: float
    multipliers: int


BOARDS = {
    board.name: board
    for board in (
        Board("KV260-1", "64-bit DDR4-2400, one 128-bit HP port", Dram(64, 2400, 250, 4.5), 1, 128, 4e9, 1248),
        Board("KV260", "64-bit DDR4-2400, four 128-bit HP ports", Dram(64, 2400, 250, 4.5), 4, 128, 4e9, 1248),
        Board("ZCU104", "64-bit DDR4-2400, four 128-bit HP ports", Dram(64, 2400, 250, 4.5), 4, 128, 2e9, 1728),
        Board("U280", "HBM2, 32 ports of 256 bits", Dram(2048, 1800, 250, 4.5), 32, 256, 8e9, 9024),
    )
}
MODELS = {
    "stories15M": PRESETS["stories15M"].shape,
    "stories42M": PRESETS["stories42M"].shape,
    "stories110M": PRESETS["stories110M"].shape,
    "SmolLM2-135M": ModelShape(576, 1536, 30, 9, 3, 49152, 8192, rope_theta=100000.0),
    "TinyLlama-1.1B": PRESETS["tinyllama-1.1B"].shape,
    "Llama-2-7B": PRESETS["llama2-7B"].shape,
    "Llama-3-8B": PRESETS["llama3-8B"].shape,
}


def one_of(known: dict, what: str, name: str):
    """The entry of that name, however it is written; ModelError names those that there are."""
    found = {key.lower(): value for key, value in known.items()}
    if name.lower() in found:
        return found[name.lower()]
    near = get_close_matches(name.lower(), found, 1)
    guess = f", perhaps {next(key for key in known if key.lower() == near[0])}" if near else ""
    raise ModelError(f"{what}: must be one of {', '.join(known)}, is {name!r}{guess}")


def row_bytes(shape: ModelShape, build: BuildConfig) -> int:
    """Bytes of a key row and its value row, each with an exponent."""
    return shape.head_dim * (build.key_bits + build.value_bits) // 8 + 2


def build_on(shape: ModelShape, board: Board) -> tuple[BuildConfig, int]:
    """The build, and bits of all ports together: as many lanes as they have bytes; all query heads of a key/value head
    side by side, so that a row is read once; as many units as rows come a cycle."""
    bits = board.ports * board.port_bits
    build = build_for(shape, lanes=bits // 8, attention_queries=shape.kv_mul)
    units = min(shape.n_kv_heads, max(1, bits // 8 // row_bytes(shape, build)))
    return replace(build, attention_units=units), bits
