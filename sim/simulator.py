"""A running block as the host sees it: pins, stream sources, recorders and a clock; the same for every simulator.

A cycle is a rising edge of the clock. What is read and recorded is what stands just before the edge, what is driven
changes behind it. Pins are named by a path: a port by its name, a signal inside by its instances, as in
`u_engine_0.start`; inside only what the build shows is there (see `sim.build`). While `rst` is high nothing passes and
nothing is recorded.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from llama2_myhdl.spec.axi import ReadMaster

Fields = int | Sequence[int] | np.ndarray  # of payloads: one value for all, one each, or their bytes [count, bytes]


class SimulationError(RuntimeError):
    """The simulation ended without finishing its work; one line."""


def packed(bits: dict[str, int], count: int, fields: dict[str, Fields]) -> np.ndarray:
    """Payloads as bytes, uint8 [count, stride]: the fields one after the other, each little-endian in whole bytes."""
    if fields.keys() != bits.keys():
        raise ValueError(f"fields {sorted(fields)}, expected {sorted(bits)}")
    columns = []
    for name, width in bits.items():
        value, size = fields[name], (width + 7) // 8
        if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 2:
            if value.shape != (count, size):
                raise ValueError(f"{name}: must be {count} payloads of {size} bytes, is {value.shape}")
            columns.append(value)
            continue
        values = [value] * count if isinstance(value, int) else [int(v) for v in value]
        data = b"".join(v.to_bytes(size, "little") for v in values)
        columns.append(np.frombuffer(data, np.uint8).reshape(count, size))
    return np.ascontiguousarray(np.concatenate(columns, axis=1))


class Source(ABC):
    """Drives `valid` and the payload of a stream into the block, from a queue."""

    @abstractmethod
    def send(self, count: int = 1, due: int = 0, **fields: Fields) -> None:
        """Queue `count` payloads; none passes before cycle `due`."""

    @abstractmethod
    def drop(self) -> None:
        """Forget what has not passed yet; only in reset, where an offer may be taken back."""

    @property
    @abstractmethod
    def idle(self) -> bool:
        """Whether all that was queued has passed."""


class Recorder(ABC):
    """Rows of what was recorded: the cycle, then each field in ceil(bits / 64) words, the lowest first."""

    def __init__(self, bits: list[int]):
        words = [(width + 63) // 64 for width in bits]
        self.width = 1 + sum(words)
        self.columns = [1 + sum(words[:k]) for k in range(len(words))]  # where each field begins

    @abstractmethod
    def arm(self, on: bool) -> None:
        """Record from now on, or not; it does from the beginning."""

    @abstractmethod
    def take(self) -> np.ndarray:
        """The rows since the last call, uint64 [n, width]."""


class Memory(ABC):
    """A memory behind AXI4 channels of the block, with the rules that the block must keep live beside it: see
    `sim/axi_memory.py`, which says what its behaviour, its faults and its counts are, and `sim/axi_writes.py`."""

    @abstractmethod
    def fill(self, parts: dict[int, bytes]) -> None:
        """These bytes, by their addresses, and no others any more."""

    @abstractmethod
    def behave(self, **changes) -> None:
        """Change some of latency, stalls, refresh, interleaved, faults; of one that is written too, write_faults, and
        latency is that of both."""

    @abstractmethod
    def seen(self, name: str) -> int:
        """A count since the beginning: sent, made, mixed, refreshed, bursts, most; of writes, answered, offered, and
        written, the beats that were taken."""


class Simulator(ABC):
    """See above. A block that ends the simulation (a live check) raises SimulationError from `run`, and so does
    one that breaks a rule of a bus."""

    @abstractmethod
    def has(self, path: str) -> bool:
        """Whether there is such a pin."""

    @abstractmethod
    def get(self, path: str) -> int:
        """A pin's value as it stands behind the last edge, unsigned."""

    @abstractmethod
    def set(self, **pins: int) -> None:
        """Drive input ports that are no streams."""

    @abstractmethod
    def source(self, prefix: str, fields: Sequence[str]) -> Source:
        """Drive a stream port of the block."""

    @abstractmethod
    def recorder(self, fields: Sequence[str], stream: str | None = None, wakes: bool = False) -> Recorder:
        """Record the pins `fields` at every transfer of a stream (a path without `_valid`), or at every change.

        wakes: `run` returns behind a cycle that recorded something.
        """

    @abstractmethod
    def memory(self, prefix: str, axi: ReadMaster, regions: int, seed: int, writes: bool = False) -> Memory:
        """A memory at the ports `prefix`_arvalid ..; regions: how many IDs there are; seed: of what is random; writes:
        it is written too."""

    @abstractmethod
    def run(self, cycles: int, drained: Source | None = None) -> None:
        """So many cycles; fewer when a recorder wakes, or when `drained` has nothing left to send."""

    @property
    @abstractmethod
    def cycle(self) -> int:
        """Rising edges so far: the number of the next one."""

    @abstractmethod
    def close(self) -> None:
        """End the simulation; a second call does nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self.close()
