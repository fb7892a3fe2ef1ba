"""`make plan`: the counts of docs/verification.md, each from what the last run of its kind has stored.

`make regress STORE=1` stores docs/regress.json, `make coverage` docs/coverage.json, `make mutants` docs/mutants.json,
`make formal STORE=1` docs/proofs.json; each of them writes the page anew as well.
"""

import json
import sys
from pathlib import Path

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.base.options import Parser
from llama2_myhdl.host import plan_report
from llama2_myhdl.host.plan_report import Stored
from llama2_myhdl.host.readme import ReadmeError, insert
from llama2_myhdl.host.units import units

DOCS = PROJECT / "docs"
PAGE = DOCS / "verification.md"
REGRESS = DOCS / "regress.json"
RUNS = ("regress", "coverage", "mutants", "proofs")  # kinds of runs, and names of their files


def load() -> Stored:
    """What the last runs have stored, by kind; empty where none has."""
    return {name: json.loads((DOCS / f"{name}.json").read_text()) for name in RUNS}


def files_of_tests() -> list[str]:
    """All of them, from the project's folder."""
    return [file.relative_to(PROJECT).as_posix() for file in sorted((PROJECT / "tb").glob("*/test_*.py"))]


def filled(text: str) -> str:
    """A page with its sections as the stored runs have them."""
    for section, block in plan_report.sections(load(), units(), files_of_tests()).items():
        text = insert(text, section, block, PAGE.name)
    return text


def write() -> Path:
    """Write the page's sections."""
    write_whole(PAGE, [filled(PAGE.read_text()).encode()])
    return PAGE


def main(argv=None) -> int:
    """Exit status 0; 2 after one line when something is wrong."""
    Parser(prog="plan", description=__doc__.splitlines()[0]).parse_args(argv)
    try:
        print(write())
    except (ReadmeError, OSError, json.JSONDecodeError) as error:
        print(f"plan: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
