"""`make coverage`: which statements, branches, conditions and bits of the RTL the tests reach, in Verilator.

The tests of every folder of tb/ that has RTL of its name, and of the decoder, run with counters in the simulated
Verilog; the counts of all builds are merged by block. A complete run is held against the bars of `coverage/report.py`
and writes docs/coverage.json and the table of docs/verification.md; with --block one folder's tests run and nothing is
written. --report reads the counts of the last run again.
"""

import json
import os
import shutil
import subprocess
import sys

from rich.console import Console

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import GENERATED, PROJECT
from llama2_myhdl.base.options import Parser
from llama2_myhdl.base.stages import stages
from llama2_myhdl.coverage import exclusions, report
from llama2_myhdl.coverage.counts import CountsError, read
from llama2_myhdl.coverage.exclusions import ExclusionError
from llama2_myhdl.coverage.merge import Merged
from llama2_myhdl.hdl.progress import Progress
from llama2_myhdl.host import plan
from llama2_myhdl.host.figures_report import table
from llama2_myhdl.host.readme import ReadmeError, insert
from llama2_myhdl.sim.build import block_of
from llama2_myhdl.sim.counts import VARIABLE

JSON, PAGE, SECTION = PROJECT / "docs" / "coverage.json", PROJECT / "docs" / "verification.md", "coverage"
COUNTS = GENERATED / "coverage"
HOLES = COUNTS / "holes.txt"
SOURCES = (PROJECT / "rtl", PROJECT / "hdl")
NICE = 10


def folders() -> list[str]:
    """The folders of tb/ whose tests run, the decoder's last, as they take longest."""
    named = {path.parent.name for path in (PROJECT / "rtl").glob("*/__init__.py")}
    return [name for name in sorted(named) if any((PROJECT / "tb" / name).glob("test_*.py"))] + ["decoder"]


def run_tests(folder: str) -> int:
    """Run a folder's tests in Verilator, with their counts in a folder of its own; pytest's exit status."""
    counts = COUNTS / folder
    shutil.rmtree(counts, ignore_errors=True)
    counts.mkdir(parents=True)
    environment = os.environ | {VARIABLE: str(counts), "SIM": "verilator"}
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not (syn or bus)", f"tb/{folder}"]
    with (counts / "tests.log").open("w") as log:
        return subprocess.run(
            command, cwd=PROJECT, env=environment, stdout=log, stderr=subprocess.STDOUT, preexec_fn=_give_way
        ).returncode


def _give_way() -> None:
    os.nice(NICE)


def merged(names: list[str], say: Progress) -> Merged:
    """The counts of folders; CountsError where there are none."""
    found = Merged(block_of, SOURCES)
    for number, name in enumerate(names):
        say("merge the counts", number, len(names))
        files = sorted((COUNTS / name).glob("*.dat"))
        if not files:
            raise CountsError(f"{COUNTS / name}: no counts: run make coverage first, its tests must simulate something")
        found.add(read(files))
    say("merge the counts", len(names), len(names))
    return found


def render(blocks: dict[str, report.Figures]) -> str:
    """The table of docs/verification.md."""
    return "\n".join(table(report.TITLES, report.rows(blocks))) if blocks else "Not measured yet.\n"


def store(blocks: dict[str, report.Figures]) -> None:
    """Write docs/coverage.json and the table."""
    page = insert(PAGE.read_text(), SECTION, render(blocks), PAGE.name)
    rows = [f" {json.dumps(block)}: {json.dumps(row)}" for block, row in sorted(blocks.items())]
    write_whole(JSON, [b"{\n", ",\n".join(rows).encode(), b"\n}\n"])
    write_whole(PAGE, [page.encode()])


def _tested(names: list[str], say: Progress) -> list[str]:
    """Run the tests of folders; those that failed, with their logs."""
    failed = []
    for number, name in enumerate(names):
        say(f"tests of tb/{name}", number, len(names))
        if run_tests(name):
            failed.append(f"tests of tb/{name} failed, see {COUNTS / name / 'tests.log'}")
    return failed


def main(argv=None) -> int:
    """Exit status 0; 1 when tests fail or a complete run is below a bar; 2 after one line when something is wrong."""
    parser = Parser(prog="coverage", description=__doc__.splitlines()[0])
    parser.add_argument("--block", choices=folders(), help="the tests of this folder of tb/ alone")
    parser.add_argument("--report", action="store_true", help="run nothing, read the counts of the last run")
    args = parser.parse_args(argv)
    names = [args.block] if args.block else folders()
    try:
        known = exclusions.parse(exclusions.FILE.read_text())
        with stages(Console(stderr=True), "folders") as say:
            failed = [] if args.report else _tested(names, say)
            result = report.Result(merged(names, say).places, known)
        if not args.block and result.unused:
            unused = result.unused[0]
            raise ExclusionError(f"{exclusions.FILE.name}: line {unused.line}: excludes no hole: {unused.place}")
        if not args.block and not failed:
            store(result.blocks)
            plan.write()
    except (CountsError, ExclusionError, ReadmeError, OSError) as error:
        print(f"coverage: {error}", file=sys.stderr)
        return 2
    return _say(result, failed + ([] if args.block else report.below(result.blocks)))


def _say(result: report.Result, faults: list[str]) -> int:
    """Print the table, the holes and what is wrong; the exit status."""
    found = report.holes(result.holes)
    write_whole(HOLES, ["".join(f"{line}\n" for line in found).encode()])
    print("\n".join(report.lines(result.blocks)))
    print("\n".join(["", *found[: report.MOST_HOLES]]))
    print(f"{len(result.holes)} holes, all of them in {HOLES}")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
