"""What a regression leaves in docs/regress.json: tests and values by file, comparisons by scoreboard, grids by bin."""

import json
from collections import Counter
from collections.abc import Sequence

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.host import plan
from llama2_myhdl.regress import results
from llama2_myhdl.regress.results import PASSED, SKIPPED, Case, Covered

OTHER = " x "  # between the names of a bin's places on the axes


def _tests(cases: list[Case], files: list[str]) -> list[dict]:
    """Tests of each file, however many seeds they ran with, and the values that all of them compared."""
    outcomes: dict[str, dict[str, str]] = {file: {} for file in files}
    values = Counter()
    for case in cases:
        outcomes.setdefault(case.file, {})[case.name] = case.outcome
        values[case.file] += case.values
    return [
        dict(file=file, passed=list(found.values()).count(PASSED), skipped=list(found.values()).count(SKIPPED),
             values=values[file])
        for file, found in sorted(outcomes.items())
    ]  # fmt: skip


def short(where: str) -> str:
    """A scoreboard by its place in its environment."""
    return where.removeprefix("uvm_test_top.").removeprefix("env.").removesuffix("_scoreboard")


def _compared(cases: list[Case], seed: int) -> list[dict]:
    """The values that each scoreboard of each test has compared with a seed."""
    found: dict[tuple, Counter] = {}
    for case in (case for case in cases if case.seed == seed):
        for record in (record for record in case.records if record["kind"] == "compared"):
            counts = found.setdefault((case.file, case.name, record.get("test", "")), Counter())
            counts[short(record["where"])] += record["values"]
    return [dict(file=file, name=name, test=test, values=dict(counts))
            for (file, name, test), counts in sorted(found.items())]  # fmt: skip


def _grid(grid: Covered) -> dict:
    """A grid with the bins of each axis, in their order."""
    places = list(zip(*(cell.split(OTHER) for cell in grid.counts)))
    axes = {axis: list(dict.fromkeys(bins)) for axis, bins in zip(grid.axes, places, strict=True)}
    reached, least = len(grid.counts) - len(grid.holes), min(grid.counts.values())
    return dict(file=grid.file, name=grid.name, goal=grid.goal, bins=len(grid.counts), reached=reached, least=least,
                axes=axes)  # fmt: skip


def contents(seeds: Sequence[int], cases: list[Case], others: list[Case], files: list[str]) -> dict:
    """What is stored. others: the tests that know no seed; files: all files of tests."""
    return dict(
        seeds=[seeds[0], seeds[-1]],
        tests=_tests([*cases, *others], files),
        compared=_compared(cases, seeds[0]),
        grids=[_grid(grid) for grid in results.covered(cases)],
    )


def store(seeds: Sequence[int], cases: list[Case], others: list[Case]) -> None:
    """Write docs/regress.json and the page of the plan."""
    found = contents(seeds, cases, others, plan.files_of_tests())
    parts = []
    for name, part in found.items():
        lines = ",\n".join(f"  {json.dumps(entry)}" for entry in part)
        parts.append(f' "{name}": [\n{lines}\n ]')
    write_whole(plan.REGRESS, [b"{\n", ",\n".join(parts).encode(), b"\n}\n"])
    plan.write()
