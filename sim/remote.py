"""A block in a simulator of its own process, Icarus or Verilator under cocotb: `sim.server` does what is asked here."""

import shutil
import socket
import tempfile
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from llama2_myhdl.sim import server
from llama2_myhdl.sim.build import Build
from llama2_myhdl.sim.runner import check_results, simulate
from llama2_myhdl.sim.simulator import Fields, Memory, Recorder, SimulationError, Simulator, Source, packed
from llama2_myhdl.spec.axi import ReadMaster

POLL_SECONDS = 0.2


def _failure(text: str, log: Path, kept: Path) -> str:
    """One line for a failure of `check_results`: what it says, without the log's tail, and where the log is kept."""
    reason = text.splitlines()[0].rpartition(";")[0] or text.splitlines()[0]
    if not log.exists():
        return f"{reason}; the simulator left no log"
    shutil.copyfile(log, kept)
    return f"{reason}; the simulator's messages are in {kept}"


class RemoteSimulator(Simulator):
    """built: a build for cocotb. Nothing stays behind but the log of a simulation that failed."""

    def __init__(self, built: Build):
        self._built, self._cycle = built, 0
        self._folder = Path(tempfile.mkdtemp(prefix="simulator-"))  # short: the name of a socket has a limit
        address = self._folder / "socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(address))
            listener.listen(1)
            listener.settimeout(POLL_SECONDS)
            self._thread = threading.Thread(target=self._simulate, args=(address,), daemon=True)
            self._thread.start()
            self._connection = None
            try:
                while self._connection is None:
                    try:
                        self._connection = Connection(listener.accept()[0].detach())
                    except TimeoutError:
                        if not self._thread.is_alive():
                            self._fail()
            finally:
                if self._connection is None:
                    shutil.rmtree(self._folder, ignore_errors=True)

    def _simulate(self, address: Path) -> None:
        environment = {server.ADDRESS: str(address)}
        self._results, self._log = simulate(self._built, server.__name__, self._folder, environment=environment)

    def _fail(self) -> None:
        """Say why the simulator has ended before its time."""
        self._thread.join()
        try:
            check_results(self._results, self._log)
        except AssertionError as error:
            kept = self._built.folder / "failed.log"
            raise SimulationError(_failure(str(error), self._log, kept)) from error
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
        raise SimulationError("the simulator has ended before its time")

    def _call(self, name: str, *arguments):
        try:
            self._connection.send((name, arguments))
            return self._connection.recv()
        except (EOFError, OSError):
            self._fail()

    def has(self, path: str) -> bool:
        return self._call("has", path)

    def get(self, path: str) -> int:
        return self._call("get", path)

    def set(self, **pins: int) -> None:
        self._call("set", pins)

    def source(self, prefix: str, fields: Sequence[str]) -> Source:
        bits = {name: self._call("bits", f"{prefix}_{name}") for name in fields}
        return _RemoteSource(self, self._call("source", prefix, bits), bits)

    def recorder(self, fields: Sequence[str], stream: str | None = None, wakes: bool = False) -> Recorder:
        bits = [self._call("bits", path) for path in fields]
        return _RemoteRecorder(self, self._call("recorder", list(fields), bits, stream, wakes), bits)

    def memory(self, prefix: str, axi: ReadMaster, regions: int, seed: int, writes: bool = False) -> Memory:
        return _RemoteMemory(self, self._call("memory", prefix, axi, regions, seed, writes))

    def run(self, cycles: int, drained: Source | None = None) -> None:
        self._cycle = self._call("run", cycles, None if drained is None else drained.number)

    @property
    def cycle(self) -> int:
        return self._cycle

    def close(self) -> None:
        if self._connection is not None:
            try:
                self._connection.send(("close", ()))
            except OSError:
                pass  # the simulator has died already
            self._thread.join()
            self._connection.close()
            self._connection = None
            shutil.rmtree(self._folder, ignore_errors=True)


class _RemoteMemory(Memory):
    """A memory of `sim/axi_memory.py` in the simulator's process."""

    def __init__(self, simulator: RemoteSimulator, number: int):
        self._number, self._simulator = number, simulator

    def fill(self, parts: dict[int, bytes]) -> None:
        self._simulator._call("fill", self._number, parts)

    def behave(self, **changes) -> None:
        self._simulator._call("behave", self._number, changes)

    def seen(self, name: str) -> int:
        return self._simulator._call("seen", self._number, name)


class _RemoteSource(Source):
    def __init__(self, simulator: RemoteSimulator, number: int, bits: dict[str, int]):
        self.number, self._simulator, self._bits = number, simulator, bits

    def send(self, count: int = 1, due: int = 0, **fields: Fields) -> None:
        self._simulator._call("send", self.number, packed(self._bits, count, fields), due)

    def drop(self) -> None:
        self._simulator._call("drop", self.number)

    @property
    def idle(self) -> bool:
        return self._simulator._call("idle", self.number)


class _RemoteRecorder(Recorder):
    def __init__(self, simulator: RemoteSimulator, number: int, bits: list[int]):
        super().__init__(bits)
        self._number, self._simulator = number, simulator

    def arm(self, on: bool) -> None:
        self._simulator._call("arm", self._number, on)

    def take(self) -> np.ndarray:
        return np.array(self._simulator._call("take", self._number), np.uint64).reshape(-1, self.width)
