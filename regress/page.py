"""The regression's report: one HTML file that needs nothing beside it."""

import datetime
import subprocess
from collections import defaultdict
from pathlib import Path

import jinja2

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.regress import findings, plots, results
from llama2_myhdl.regress.findings import Findings
from llama2_myhdl.regress.results import FAILED, SKIPPED, Case

TEMPLATE = "page.html.j2"


def commit() -> str:
    """The commit that is checked out, with + where files differ from it; `unknown` outside a repository."""
    try:
        said = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=PROJECT, capture_output=True, text=True)
    except FileNotFoundError:
        return "unknown"
    return said.stdout.strip() or "unknown"


def _tests(cases: list[Case]) -> list[dict]:
    """A row for each test: all its seeds."""
    rows = defaultdict(list)
    for case in cases:
        rows[case.file, case.name].append(case)
    return [
        dict(
            file=file,
            name=name,
            cases=sorted(found, key=lambda case: case.seed),
            seconds=sum(case.seconds for case in found) / len(found),
            compared=sum(case.values for case in found),
        )
        for (file, name), found in sorted(rows.items())
    ]


def html(cases: list[Case], wrong: list[str], made: str, others: Findings) -> str:
    """The page. wrong: what is wrong with the run, a line each; made: when and of what; others: of other runs."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined,
                                     trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    covered = results.covered(cases)
    bins = sum(len(grid.counts) for grid in covered)
    return environment.get_template(TEMPLATE).render(
        made=made,
        wrong=wrong,
        tests=_tests(cases),
        seeds=sorted({case.seed for case in cases}),
        failed=[case for case in cases if case.outcome == FAILED],
        skipped=[case for case in cases if case.outcome == SKIPPED],
        values=sum(case.values for case in cases),
        seconds=sum(case.seconds for case in cases),
        covered=covered,
        bins=bins,
        reached=bins - sum(len(grid.holes) for grid in covered),
        others=others,
        pictures=dict(slowest=plots.slowest(cases), values=plots.values(cases)),
    )


def write(path: Path, cases: list[Case], wrong: list[str]) -> Path:
    """Write the page of a regression that has just run."""
    now = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    write_whole(path, [html(cases, wrong, f"{commit()}, {now}", findings.load()).encode()])
    return path
