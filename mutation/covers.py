"""Which tests simulate a module: read from what `mutation.record` has noted, a file for each file of tests.

The record is taken by running the tests once, in Icarus. A file of tests is run again when something of the project
that it imports has changed.
"""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import GENERATED, PROJECT
from llama2_myhdl.hdl.progress import Progress
from llama2_myhdl.host.units import units
from llama2_myhdl.mutation import record
from llama2_myhdl.sim.sources import digest_of_modules

ROOT = GENERATED / "mutants"
RECORD = ROOT / "record"
SELECTED = ("-k", "not verilator and not myhdl", "-m", "not (syn or bus)")
NO_TESTS = 5  # exit status of pytest


class RecordError(ValueError):
    """Tests do not pass, or nothing is known of a block."""


@dataclass(frozen=True)
class Module:
    """A module of a build: its name, the block that it comes from, digest of its text."""

    name: str
    block: str
    digest: str


@dataclass(frozen=True)
class KnownTest:
    """A test that passes. seconds: of CPU time; builds: the modules of each, the top's last."""

    node: str
    seconds: float
    builds: tuple[tuple[Module, ...], ...]

    @property
    def tops(self) -> set[str]:
        """Blocks that it tests alone."""
        return {modules[-1].block for modules in self.builds}

    @cached_property
    def modules(self) -> frozenset[Module]:
        return frozenset(module for build in self.builds for module in build)

    @property
    def digest(self) -> str:
        """Changes with its text, that of the testbenches that it imports, and what it simulates."""
        own = frozenset([_module(self.node.partition("::")[0])])
        return f"{digest_of_modules(own, ('tb',))} {self.builds}"


def _module(file: str) -> str:
    """Import name of a file of tests, which must be found: else nothing of it would be in a digest."""
    if importlib.util.find_spec("tb") is None:
        raise RecordError(f"the tests are not there: start in {PROJECT}")
    return file.removesuffix(".py").replace("/", ".")


def text_of(digest: str) -> str:
    """A module's Verilog."""
    return (RECORD / "texts" / f"{digest}.v").read_text()


def files_of_tests() -> list[str]:
    """The tests of the folders of rtl/ and of the whole."""
    folders = {*units().values(), "decoder"} - {"top"}
    files = (file for folder in sorted(folders) for file in sorted((PROJECT / "tb" / folder).glob("test_*.py")))
    return [file.relative_to(PROJECT).as_posix() for file in files]


def refresh(say: Progress) -> None:
    """Run the files of tests whose record is missing or old. RecordError when a test fails."""
    files = files_of_tests()
    for count, file in enumerate(files):
        say("record which test simulates what", count, len(files))
        kept, digest = _record_of(file), digest_of_modules(frozenset([_module(file)]))
        if _digest_in(kept) == digest:
            continue
        part = kept.with_suffix(".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        environment = os.environ | {record.FILE: str(part), "SIM": record.SIM}
        command = [sys.executable, "-m", "pytest", "-q", "-p", record.__name__, *SELECTED, file]
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
        if done.returncode not in (0, NO_TESTS):
            raise RecordError(f"{file}: its tests must pass before faults are planted: {done.stdout.strip()[-200:]}")
        noted = part.read_bytes() if part.exists() else b""
        write_whole(kept, [json.dumps(dict(sources=digest)).encode() + b"\n", noted])
        part.unlink(missing_ok=True)


def _record_of(file: str) -> Path:
    return RECORD / f"{file.removesuffix('.py').replace('/', '.')}.jsonl"


def _digest_in(kept: Path) -> str | None:
    if not kept.exists():
        return None
    with kept.open() as lines:
        return json.loads(lines.readline())["sources"]


def read_record() -> list[KnownTest]:
    """All tests that simulate something."""
    found = []
    for file in files_of_tests():
        if (kept := _record_of(file)).exists():
            found += read_entries([json.loads(line) for line in kept.read_text().splitlines()[1:]])
    return found


def read_entries(entries: list[dict]) -> list[KnownTest]:
    """From the lines of a record, in their order."""
    builds, seconds = {}, {}
    for entry in entries:
        if "modules" in entry:
            builds.setdefault(entry["test"], []).append(tuple(Module(*fields) for fields in entry["modules"]))
        else:
            seconds[entry["test"]] = entry["seconds"]
    return [KnownTest(node, seconds[node], tuple(made)) for node, made in builds.items() if node in seconds]


def nearest(tests: list[KnownTest], block: str) -> list[KnownTest]:
    """The tests that simulate a block: first those of it alone, of these and of the others first the cheapest."""
    found = [test for test in tests if any(module.block == block for module in test.modules)]
    return sorted(found, key=lambda test: (block not in test.tops, test.seconds, test.node))
