"""`make regress`: the randomised tests with many seeds, over the cores or over machines, and a report.

Every seed is a run of pytest (markers `uvm` and `stress`) with pytest-xdist. Left in sim_build/regress: seed-N.xml
(JUnit), seed-N.log, and report.html, one file that shows all of them. With --store all other tests run too, once, and
docs/regress.json keeps what came of them, for docs/verification.md, when nothing is wrong.

A test that fails is named with the command that runs it again with waves. Exit status 1 when a test failed, a coverage
bin of all runs together is below its goal, or fewer values were compared than VALUES_A_SEED times the seeds; 2 after
one line about bad input.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from llama2_myhdl.base.folders import GENERATED, PROJECT
from llama2_myhdl.base.options import Parser
from llama2_myhdl.base.stages import stages
from llama2_myhdl.host.readme import ReadmeError
from llama2_myhdl.regress import page, results, stored
from llama2_myhdl.regress.results import FAILED, SKIPPED, Case

FOLDER = GENERATED / "regress"
MARKERS = ["-m", "uvm or stress"]
# as make test does
OTHERS = ["-m", "not (uvm or stress or syn or bus or clients or ip or models or smollm2 or browser)"]
OTHERS += ["--dist", "loadfile"]
VALUES_A_SEED = 50_000
DEFAULT_SEEDS = 3
FAILED_STATUS, BAD_INPUT = 1, 2
# what `make regress` was told is not for the commands that a test calls: make hands it on in both ways
_OWN = ("MAKEFLAGS", "STORE", "SEEDS", "FIRST", "WORKERS")
_DONE = re.compile(r"\[ *(\d+)%\]")
_ENDED = (0, 1)  # pytest: all passed, some failed


class RegressError(Exception):
    """pytest did not run its tests; the text is one line."""


def workers(spec: str) -> list[str]:
    """pytest-xdist's options: for a number that many processes here, else each word is one of its gateways."""
    if spec.isdecimal() and int(spec):
        return ["-n", spec]
    gateways = [part for word in spec.split() for part in ("--tx", word)]
    if not gateways or spec.isdecimal():
        raise RegressError(f"workers: must be a number from 1 or gateways of pytest-xdist, is {spec!r}")
    return ["-d", *gateways]


def run_seed(
    seed: int | None, spread: list[str], tests: list[str], say: Callable, folder: Path = FOLDER
) -> list[Case]:
    """One seed's tests, or tests that know none; raises RegressError when pytest could not run them."""
    what, name = ("other tests", "others") if seed is None else (f"seed {seed}", f"seed-{seed}")
    xml, log = folder / f"{name}.xml", folder / f"{name}.log"
    xml.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-v", "-rs", *spread, f"--junitxml={xml}", *tests]
    environment = {name: value for name, value in os.environ.items() if name not in _OWN}
    environment |= {} if seed is None else dict(SEED=str(seed))
    say(what, 0, 100)
    with open(log, "w") as file:
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        for line in process.stdout:
            file.write(line)
            if done := _DONE.search(line):
                say(what, int(done[1]), 100)
    if process.wait() not in _ENDED or not xml.exists():
        raise RegressError(f"{what}: pytest ended with status {process.returncode}, see {log}")
    return results.read(xml, seed)


def failures(cases: list[Case]) -> list[str]:
    """A line for each test that failed."""
    return [f"{case.file}::{case.name} failed; again: {case.replay}" for case in cases if case.outcome == FAILED]


def verdict(cases: list[Case], seeds: int) -> list[str]:
    """What is wrong with a regression, a line each."""
    wrong = failures(cases)
    for grid in results.covered(cases):
        if grid.holes:
            wrong.append(f"{grid.block}: {grid.name}: below the goal of {grid.goal}: {', '.join(grid.holes)}")
    values, owed = sum(case.values for case in cases), VALUES_A_SEED * seeds
    if values < owed:
        wrong.append(f"values compared: must be {owed:,} or more with {seeds} seeds, are {values:,}")
    return wrong


def _number(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ValueError(text)
    return int(text)


_number.__name__ = "whole number from 1"  # as argparse calls it


def parser() -> Parser:
    p = Parser(prog="regress", description=__doc__.partition("\n")[0])
    p.add_argument("--seeds", type=_number, default=DEFAULT_SEEDS, help=f"how many ({DEFAULT_SEEDS})")
    p.add_argument("--first", type=_number, default=1, help="the first one (1); the others follow it")
    p.add_argument("--workers", default=str(os.cpu_count()), help="processes here, or gateways of pytest-xdist (cores)")
    p.add_argument("--store", action="store_true", help="run all other tests too, keep the counts in docs/regress.json")
    return p


def main(argv=None) -> int:
    """Exit status: see the module."""
    args = parser().parse_args(argv)
    FOLDER.mkdir(parents=True, exist_ok=True)
    seeds, cases = range(args.first, args.first + args.seeds), []
    try:
        spread = workers(args.workers)
        with stages(Console(stderr=True), "%") as say:
            for seed in seeds:
                cases += run_seed(seed, spread, MARKERS, say)
            others = run_seed(None, spread, OTHERS, say) if args.store else []
        wrong = verdict(cases, len(seeds)) + failures(others)
        report = page.write(FOLDER / "report.html", cases, wrong)
        if args.store and not wrong:
            stored.store(seeds, cases, others)
    except (RegressError, ReadmeError, OSError) as error:
        print(f"regress: {error}", file=sys.stderr)
        return BAD_INPUT
    counts = {outcome: sum(case.outcome == outcome for case in cases) for outcome in (FAILED, SKIPPED)}
    print(f"{len(cases)} tests, {counts[FAILED]} failed, {counts[SKIPPED]} skipped; "
          f"{sum(case.values for case in cases):,} values compared; {report}")  # fmt: skip
    for line in wrong:
        print(f"regress: {line}", file=sys.stderr)
    return FAILED_STATUS if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
