"""Which test simulates which Verilog, and how long that takes: a pytest plugin, and a step that its builds pass.

    python -m pytest -p llama2_myhdl.mutation.record tb/stream

adds one JSON line to BUILD_RECORD for each build of a test (`test`, `modules`: name, block and digest, the top's last)
and one for each test that has passed (`test`, `seconds` of CPU time, simulator included). The text of each module is
kept in texts/ beside it, under its digest. Tests are skipped that build for another simulator than Icarus, whose builds
are the quickest to change, or whose simulation takes longer than a mutant is worth.
"""

import hashlib
import json
import os
import resource
import signal
from pathlib import Path

import pytest

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.hdl.hierarchy import ModuleFile
from llama2_myhdl.sim import through

FILE = "BUILD_RECORD"  # environment variable
SIM = "icarus"
MOST = 90  # seconds of CPU time of a simulation
NEARLY = 0.9  # of a limit of CPU time: the system counts more exactly than it tells


def _add(entry: dict) -> None:
    with open(os.environ[FILE], "a") as file:
        file.write(json.dumps(entry) + "\n")


def _test() -> str:
    return os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]


class Recorded:
    """A step that leaves the Verilog as it is and notes who simulates it."""

    name = "recorded"

    def __init__(self):
        self.identity = f"{_test()} {os.getpid()}"  # so that it is called in every test of every run

    def arguments(self, sim: str) -> list[str]:
        if sim != SIM:
            pytest.skip(f"recorded are builds for {SIM}")  # asked for ahead of the step
        return []

    def __call__(self, modules: list[ModuleFile], folder: Path) -> list[ModuleFile]:
        texts, made, noted = Path(os.environ[FILE]).parent / "texts", [], []
        texts.mkdir(exist_ok=True)
        for module in modules:
            text = module.file.read_bytes()
            digest = hashlib.sha256(text).hexdigest()[:16]
            for file in (folder / module.file.name, texts / f"{digest}.v"):
                if not file.exists() or file.read_bytes() != text:
                    write_whole(file, [text])
            made.append(ModuleFile(module.name, folder / module.file.name, module.block))
            noted.append([module.name, module.block, digest])
        _add(dict(test=_test(), modules=noted))
        return made


def pytest_configure(config):
    os.environ[through.VARIABLE] = f"{__name__}:{Recorded.__name__}"
    signal.signal(signal.SIGXCPU, lambda *_: None)  # this process may go on, simulators that it starts end
    resource.setrlimit(resource.RLIMIT_CPU, (MOST, resource.getrlimit(resource.RLIMIT_CPU)[1]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    began = cpu()
    try:
        yield
    except Exception:
        if cpu() - began >= NEARLY * MOST:
            pytest.skip(f"takes more than {MOST} s")
        raise
    _add(dict(test=item.nodeid, seconds=round(cpu() - began, 2)))


def cpu() -> float:
    """Seconds of CPU time of this process and of those that it has waited for."""
    return sum(os.times()[:4])
