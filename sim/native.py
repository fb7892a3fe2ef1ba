"""A compiled block in this process: `native/simulator.cpp` behind the interface of `sim.simulator`."""

import ctypes
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from llama2_myhdl.sim.counts import counts_file, counts_folder
from llama2_myhdl.sim.native_memory import CALLS, NativeMemory
from llama2_myhdl.sim.simulator import Fields, Memory, Recorder, SimulationError, Simulator, Source, packed
from llama2_myhdl.spec.axi import ReadMaster

CHUNK = 50_000  # cycles between two looks at what Python has to do, such as Ctrl-C
SEED = 1  # of the registers' values before reset

_POINTER, _INT, _WORD, _BYTES = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint64, ctypes.c_char_p
_CALLS = {  # name: result, arguments behind the simulator
    "sim_close": (None, []),
    "sim_pin": (_INT, [_BYTES, _BYTES]),
    "sim_bits": (ctypes.c_uint, [_INT]),
    "sim_get": (None, [_INT, _POINTER]),
    "sim_set": (None, [_INT, _BYTES]),
    "sim_clock": (None, [_INT, _INT]),
    "sim_source": (_INT, [_INT, _INT, _POINTER, _INT]),
    "sim_send": (None, [_INT, _POINTER, _WORD, _WORD]),
    "sim_drop": (None, [_INT]),
    "sim_idle": (_INT, [_INT]),
    "sim_recorder": (_INT, [_INT, _INT, _POINTER, _INT, _INT]),
    "sim_arm": (None, [_INT, _INT]),
    "sim_recorded": (_WORD, [_INT]),
    "sim_take": (None, [_INT, _POINTER]),
    "sim_run": (_INT, [_WORD, _INT]),
    "sim_counts": (_INT, [_BYTES]),
    "sim_cycle": (_WORD, []),
    "sim_messages": (_BYTES, []),
    "sim_watch": (None, [_INT]),
    "sim_watched": (_BYTES, []),
    "sim_toggles": (None, [_POINTER]),
    "sim_broken": (_BYTES, []),
    **CALLS,
}


def _load(library: Path) -> ctypes.CDLL:
    """The library as it is now: by its own name a process would get the one of that name that it has loaded before."""
    with tempfile.TemporaryDirectory(prefix="library-") as folder:
        link = Path(folder) / library.name
        link.symlink_to(library.resolve())
        return ctypes.CDLL(str(link))


class NativeSimulator(Simulator):
    """library: what `sim.build` made of a block; top: name of its module; clock, reset: its pins."""

    def __init__(self, library: Path, top: str, clock: str = "clk", reset: str = "rst"):
        self._library = _load(library)
        for name, (result, arguments) in _CALLS.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, [_POINTER, *arguments]
        self._library.sim_open.restype, self._library.sim_open.argtypes = _POINTER, [ctypes.c_uint]
        self._handle = self._library.sim_open(SEED)
        self._top, self._pins = top, {}
        self._call("sim_clock", self._pin(clock), self._pin(reset))

    def _call(self, name: str, *arguments):
        return getattr(self._library, name)(self._handle, *arguments)

    def _pin(self, path: str) -> int:
        """Index of a pin; ports belong to the scope around the block."""
        if path not in self._pins:
            scope, _, name = path.rpartition(".")
            found = self._call("sim_pin", f"{self._top}.{scope}".encode() if scope else b"TOP", name.encode())
            if found < 0:
                raise KeyError(f"{path}: not among the pins that the build of {self._top} shows")
            self._pins[path] = found
        return self._pins[path]

    def _bits(self, path: str) -> int:
        return self._call("sim_bits", self._pin(path))

    def _indices(self, paths: Sequence[str]):
        return (_INT * len(paths))(*map(self._pin, paths))

    def has(self, path: str) -> bool:
        try:
            self._pin(path)
        except KeyError:
            return False
        return True

    def get(self, path: str) -> int:
        value = ctypes.create_string_buffer((self._bits(path) + 7) // 8)
        self._call("sim_get", self._pin(path), value)
        return int.from_bytes(value.raw, "little")

    def set(self, **pins: int) -> None:
        for name, value in pins.items():
            self._call("sim_set", self._pin(name), value.to_bytes((self._bits(name) + 7) // 8, "little"))

    def source(self, prefix: str, fields: Sequence[str]) -> Source:
        paths = [f"{prefix}_{name}" for name in fields]
        valid, ready = (self._pin(f"{prefix}_{name}") for name in ("valid", "ready"))
        number = self._call("sim_source", valid, ready, self._indices(paths), len(paths))
        return _NativeSource(self, number, {name: self._bits(path) for name, path in zip(fields, paths)})

    def recorder(self, fields: Sequence[str], stream: str | None = None, wakes: bool = False) -> Recorder:
        handshake = (-1, -1) if stream is None else tuple(self._pin(f"{stream}_{name}") for name in ("valid", "ready"))
        number = self._call("sim_recorder", *handshake, self._indices(fields), len(fields), int(wakes))
        return _NativeRecorder(self, number, [self._bits(path) for path in fields])

    def memory(self, prefix: str, axi: ReadMaster, regions: int, seed: int, writes: bool = False) -> Memory:
        return NativeMemory(self._call, self._indices, prefix, axi, regions, seed, writes)

    def run(self, cycles: int, drained: Source | None = None) -> None:
        number = -1 if drained is None else drained.number
        while cycles > 0:
            before = self.cycle
            ended = self._call("sim_run", min(cycles, CHUNK), number)
            if ended < 0:
                raise SimulationError(f"the hardware ended the simulation: {self._last_words()}")
            cycles -= self.cycle - before
            if ended:
                return

    def watch(self, on: bool) -> None:
        """Count toggles from the next cycle on, or no more: of all signals that the build shows, see `sim.toggles`."""
        self._call("sim_watch", int(on))

    def toggles(self) -> list[tuple[str, str, str, int]]:
        """Module, instance, name and toggles of every signal since the last call, or since the first `watch`."""
        nets = [line.split("\t") for line in self._call("sim_watched").decode().splitlines()]
        counts = np.empty(len(nets), np.uint64)
        self._call("sim_toggles", counts.ctypes.data)
        return [(module, path, name, count) for (module, path, name, _), count in zip(nets, counts.tolist())]

    def _last_words(self) -> str:
        if broken := self._call("sim_broken").decode():
            return broken
        lines = [line.strip() for line in self._call("sim_messages").decode(errors="replace").splitlines()]
        return next((line for line in lines if line and not line.startswith(("%", "-"))), "no message")

    @property
    def cycle(self) -> int:
        return self._call("sim_cycle")

    def close(self) -> None:
        if self._handle is not None:
            if counts_folder() is not None:
                self._call("sim_counts", str(counts_file(self._top)).encode())
            self._call("sim_close")
            self._handle = None


class _NativeSource(Source):
    def __init__(self, simulator: NativeSimulator, number: int, bits: dict[str, int]):
        self.number, self._simulator, self._bits = number, simulator, bits

    def send(self, count: int = 1, due: int = 0, **fields: Fields) -> None:
        payloads = packed(self._bits, count, fields)
        self._simulator._call("sim_send", self.number, payloads.ctypes.data, count, due)

    def drop(self) -> None:
        self._simulator._call("sim_drop", self.number)

    @property
    def idle(self) -> bool:
        return bool(self._simulator._call("sim_idle", self.number))


class _NativeRecorder(Recorder):
    def __init__(self, simulator: NativeSimulator, number: int, bits: list[int]):
        super().__init__(bits)
        self._number, self._simulator = number, simulator

    def arm(self, on: bool) -> None:
        self._simulator._call("sim_arm", self._number, int(on))

    def take(self) -> np.ndarray:
        rows = np.empty(self._simulator._call("sim_recorded", self._number), np.uint64)
        self._simulator._call("sim_take", self._number, rows.ctypes.data)
        return rows.reshape(-1, self.width)
