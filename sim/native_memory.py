"""A memory behind AXI4 channels in this process: `native/read_memory.h`, `native/write_memory.h`, as `sim.simulator`
has it."""

import ctypes
from collections.abc import Callable

import numpy as np

from llama2_myhdl.sim.simulator import Memory
from llama2_myhdl.spec.axi import ReadMaster

_POINTER, _INT, _WORD = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint64
CALLS = {  # name: result, arguments behind the simulator
    "sim_memory": (_INT, [_POINTER, _POINTER, _WORD]),
    "sim_memory_clear": (None, [_INT]),
    "sim_memory_put": (None, [_INT, _WORD, ctypes.c_char_p, _WORD]),
    "sim_memory_behave": (None, [_INT, _POINTER]),
    "sim_memory_faults": (None, [_INT, _POINTER, _WORD]),
    "sim_memory_count": (_WORD, [_INT, _INT]),
    "sim_memory_writes": (None, [_INT, _POINTER, _WORD]),
    "sim_writes_behave": (None, [_INT, _POINTER]),
    "sim_writes_faults": (None, [_INT, _POINTER, _WORD]),
    "sim_writes_count": (_WORD, [_INT, _INT]),
}
_AR = ("id", "addr", "len", "size", "burst", "cache", "prot", "valid", "ready")
_R = ("id", "data", "resp", "last", "valid", "ready")
_PORTS = (*(f"ar{name}" for name in _AR), *(f"r{name}" for name in _R))
_W, _B = ("data", "strb", "last", "valid", "ready"), ("id", "resp", "valid", "ready")
_WRITE_PORTS = (*(f"aw{name}" for name in _AR), *(f"w{name}" for name in _W), *(f"b{name}" for name in _B))
WRITE_COUNTS = ("answered", "offered", "begun", "most_begun", "written")
COUNTS = ("sent", "made", "mixed", "refreshed", "bursts", "most")  # the last two: asked for, and most under way at once
_CERTAIN = 1 << 32  # a chance of one


def _words(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


class NativeMemory(Memory):
    """call: a function of the library, by its name; indices: of pins, by their names; the others as of
    `Simulator.memory`."""

    def __init__(
        self,
        call: Callable,
        indices: Callable,
        prefix: str,
        axi: ReadMaster,
        regions: int,
        seed: int,
        writes: bool = False,
    ):
        self._call = call
        sizes = _words(axi.word_bytes, axi.burst, axi.outstanding, regions)
        pins = indices([f"{prefix}_{name}" for name in _PORTS])
        self._number = call("sim_memory", pins, sizes.ctypes.data, seed)
        self._behaviour = dict(latency=(1, 1), stalls=dict(ar=0.0, r=0.0), refresh=None, interleaved=False)
        self._writes = writes
        if writes:
            call("sim_memory_writes", self._number, indices([f"{prefix}_{name}" for name in _WRITE_PORTS]), seed + 1)

    def fill(self, parts: dict[int, bytes]) -> None:
        self._call("sim_memory_clear", self._number)
        for address, data in parts.items():
            self._call("sim_memory_put", self._number, address, data, len(data))

    def behave(self, **changes) -> None:
        faults, write_faults = changes.pop("faults", None), changes.pop("write_faults", None)
        if unknown := changes.keys() - self._behaviour.keys():
            raise ValueError(f"a memory has {', '.join(self._behaviour)}, faults; not {', '.join(sorted(unknown))}")
        for name, given in (("sim_memory_faults", faults), ("sim_writes_faults", write_faults)):
            if given is not None:
                pairs = _words(*(value for pair in given.items() for value in pair))
                self._call(name, self._number, pairs.ctypes.data, len(given))
        self._behaviour |= changes
        stalls = self._stalls("ar", "r")
        refresh = self._behaviour["refresh"] or (0, 0)
        values = _words(*self._behaviour["latency"], *stalls, *refresh, self._behaviour["interleaved"])
        self._call("sim_memory_behave", self._number, values.ctypes.data)

        if self._writes:
            values = _words(*self._behaviour["latency"], *self._stalls("aw", "w", "b"))
            self._call("sim_writes_behave", self._number, values.ctypes.data)

    def _stalls(self, *channels: str) -> list[int]:
        return [int(self._behaviour["stalls"].get(channel, 0.0) * _CERTAIN) for channel in channels]

    def seen(self, name: str) -> int:
        if name in WRITE_COUNTS:
            return self._call("sim_writes_count", self._number, WRITE_COUNTS.index(name))
        return self._call("sim_memory_count", self._number, COUNTS.index(name))
