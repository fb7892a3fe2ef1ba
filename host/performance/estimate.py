"""A model on a board: bytes, cycles and tokens a second."""

from dataclasses import dataclass, replace

from llama2_myhdl.host.bench import multipliers, other_multipliers
from llama2_myhdl.host.performance.boards import MOST_BUS_BITS, Board, build_on, row_bytes
from llama2_myhdl.host.performance.heads import reads_of_row
from llama2_myhdl.host.performance.machine import Machine
from llama2_myhdl.host.performance.rows import Cache
from llama2_myhdl.spec.config import BuildConfig, ConfigError, ModelShape
from llama2_myhdl.spec.program import tape_beats

LONG = 5_000_000  # beats of a tape, of which those in a full queue are nothing


@dataclass(frozen=True)
class Estimate:
    """Of the token at one position. weights: bytes of the tapes; traffic: bytes a token of tapes, keys, values and the
    embedding row; clock: Hz; used: share of the memory's peak; notes: what is over the limits of today or of the board.
    """

    weights: float
    traffic: float
    cycles: int
    clock: float
    used: float
    notes: tuple[str, ...]

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return self.clock / self.cycles


def stored(shape: ModelShape, build: BuildConfig) -> float:
    """Bytes that a model takes in memory: tapes, embedding, keys and values of the whole context."""
    rows = shape.n_layers * shape.n_kv_heads * shape.seq_len
    tapes = tape_beats(shape, build) * build.beat_bytes
    return tapes + shape.vocab_size * (shape.dim + 1) + rows * row_bytes(shape, build)


def notes_of(shape: ModelShape, build: BuildConfig, board: Board, bits: int) -> tuple[str, ...]:
    """What does not fit the board, or one bus."""
    found = []
    if board.ports > 1:
        found.append(f"{board.ports} ports joined")
    if bits > MOST_BUS_BITS:
        found.append(f"bus of {bits:,} bits (today at most {MOST_BUS_BITS})")
    wanted = stored(shape, build)
    if wanted > board.bytes:
        found.append(f"takes {wanted / 1e9:.1f} GB of {board.bytes / 1e9:.0f}")
    needed = sum(multipliers(build)) + (other_multipliers() or 0)
    if needed > board.multipliers:
        found.append(f"{needed:,} multipliers of {board.multipliers:,}")
    return tuple(found)


def estimate(shape: ModelShape, board: Board, clock: float, pos: int, memory: dict | None = None) -> Estimate:
    """clock: MHz; pos: position of the token, all before it are read; memory: fields of its `Dram` that are others.

    ConfigError when something is out of its limits.
    """
    if not 0 <= pos < shape.seq_len:
        raise ConfigError(f"position: must be 0 to {shape.seq_len - 1:,}, is {pos:,}")
    dram = replace(board.dram, **(memory or {}))
    build, bits = build_on(shape, board)
    bus = dram.bus(build, bits, clock)
    a_row = row_bytes(shape, build)
    machine = Machine(shape, build, bus, Cache(bus, lambda rows: rows * a_row * 8 / bits, own=False))
    beats = tape_beats(shape, build)
    *_, cycles = machine.story([pos] * (1 if beats > LONG else 2)).cycles  # the first one finds full queues
    weights = beats * build.beat_bytes
    rows = shape.n_layers * shape.n_kv_heads * (pos * reads_of_row(shape, build) + 1)
    traffic = weights + rows * a_row + shape.dim + 1
    rate = clock * 1e6 / cycles
    notes = notes_of(shape, build, board, bits)
    return Estimate(weights, traffic, cycles, clock * 1e6, traffic * rate / dram.peak, notes)
