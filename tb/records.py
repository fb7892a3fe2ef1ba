"""What a test compared and covered, for the report of `make regress`: lines of JSON, kept with the test's result."""

import json
import os
from pathlib import Path

VARIABLE = "TB_RECORDS"  # environment variable: the file of the test that runs; simulators inherit it
PROPERTY = "record"  # of a test in the JUnit XML


def record(kind: str, **facts) -> None:
    """Add a line, where the run keeps them. kind: `compared` (where, values) or `grid` (name, axes, goal, counts); both
    with `test`, a test of pyuvm, where a simulation has several."""
    path = os.environ.get(VARIABLE)
    if path:
        with open(path, "a") as file:
            file.write(json.dumps(dict(kind=kind, **facts)) + "\n")


def properties(path: Path) -> list[tuple[str, str]]:
    """The lines of a file as pytest keeps them with a test; of none where it was not written."""
    return [(PROPERTY, line) for line in path.read_text().splitlines()] if path.exists() else []
