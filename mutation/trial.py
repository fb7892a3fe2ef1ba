"""Tests run on one mutant, in a process of their own that has everything imported already.

A process that uses more CPU time than its limit is ended by the system, so a simulation that hangs fails its test. The
builds of all trials are in the same folders, so there is one trial at a time.
"""

import fcntl
import json
import multiprocessing
import os
import resource
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from llama2_myhdl.base.folders import GENERATED, PROJECT
from llama2_myhdl.mutation import plant
from llama2_myhdl.mutation.record import NEARLY, SIM, cpu
from llama2_myhdl.sim import through

KILLED, HUNG, REFUSED, SURVIVED = "killed", "hung", "refused", "survived"
IMPORTED = ["llama2_myhdl.sim.session", "llama2_myhdl.sim.runner", "llama2_myhdl.mutation.plant", "pytest", "pyuvm",
            "cocotb_tools.runner", "llama2_myhdl.golden.fixed_model"]  # fmt: skip
LEAST_SECONDS, TIMES = 5, 4  # limit of CPU time of a simulation: at least, and times what the slowest test takes
WALL = 10  # times the limit: for what hangs without working
_BUILDERS = ("_in_icarus", "_in_verilator")


class TrialError(RuntimeError):
    """The tests could not be run."""


@dataclass(frozen=True)
class Outcome:
    """verdict: one of the four above; test: the one that failed; seconds: CPU time of all of it."""

    verdict: str
    test: str | None
    seconds: float


class _Watch:
    """pytest plugin that writes what becomes of the tests."""

    def __init__(self, file: Path, limit: float):
        self._file, self._limit, self._ran, self._failed, self._spent = file, limit, 0, None, 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        began = cpu()
        try:
            return (yield)
        finally:
            self._ran += 1
            if self._failed and self._failed[0] == KILLED and cpu() - began >= NEARLY * self._limit:
                self._failed = HUNG, item.nodeid

    def pytest_exception_interact(self, node, call):
        frames = {entry.name for entry in call.excinfo.traceback}
        self._failed = self._failed or (REFUSED if frames & set(_BUILDERS) else KILLED, node.nodeid)

    def pytest_sessionfinish(self):
        verdict, test = self._failed or (SURVIVED, None)
        self._file.write_text(json.dumps(dict(verdict=verdict, test=test, ran=self._ran, seconds=round(cpu(), 2))))


def _run(nodes: list[str], environment: dict[str, str], folder: Path, limit: int) -> None:
    """In the process: the tests, until one fails."""
    os.setsid()
    os.chdir(PROJECT)
    os.environ.update(environment)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for output in (1, 2):
        os.dup2(log, output)
    options = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=short"]
    pytest.main([*options, *nodes], plugins=[_Watch(folder / "outcome", limit)])


class Trials:
    """folder: where a trial leaves its files."""

    def __init__(self, folder: Path):
        self._folder = folder
        for made in (folder, GENERATED):
            made.mkdir(parents=True, exist_ok=True)
        os.environ["SIM"] = SIM  # ahead of the imports of the server: names of tests depend on it
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(IMPORTED)

    def run(self, block: str, place, nodes: list[str], seconds: float) -> Outcome:
        """The tests `nodes`, the slowest of which takes so many seconds, with a fault; TrialError when they do not run.
        """
        fault, outcome = self._folder / "fault.json", self._folder / "outcome"
        environment = {
            plant.FILE: str(fault),
            through.VARIABLE: f"{plant.__name__}:{plant.Planted.__name__}",
            "COCOTB_MAX_FAILURES": "1",
        }
        limit = int(LEAST_SECONDS + TIMES * seconds)
        with open(GENERATED / "planted.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            plant.write_fault(fault, block, place)
            outcome.unlink(missing_ok=True)
            process = self._context.Process(target=_run, args=(nodes, environment, self._folder, limit))
            process.start()
            process.join(WALL * limit)
            if process.exitcode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.join()
                return Outcome(HUNG, None, limit)
            if not outcome.exists():
                raise TrialError(f"pytest has ended before its time, see {self._folder / 'log'}")
            found = json.loads(outcome.read_text())
            if found["verdict"] == SURVIVED and found["ran"] != len(nodes):
                raise TrialError(f"{found['ran']} of {len(nodes)} tests ran, see {self._folder / 'log'}")
            return Outcome(found["verdict"], found["test"], found["seconds"])
