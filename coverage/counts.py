"""Verilator's coverage files: how often each line, branch and expression of the Verilog was taken, each bit changed."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

KINDS = ("line", "branch", "expr", "toggle")
HEADER = "# SystemC::Coverage-3"
BRANCHES = ("if", "else", "elsif", "case", "cond_then", "cond_else")

_HEADS = re.compile(r"(if|else|case|for|always|initial|end|endcase)\b|[\w']+ *: *begin|//|$")


class CountsError(ValueError):
    """A file that is not as Verilator writes them: one line with its name."""


class Point(NamedTuple):
    """A place that is counted. file: of Verilog; line: in it, from 1; what: of a branch if or else .., of an expression
    its values, of a toggle bit and direction, as Verilator has them."""

    file: str
    line: int
    kind: str
    what: str


def _fields(entry: str) -> dict[str, str]:
    return dict(part.split("\2", 1) for part in entry.split("\1")[1:])


def _lines(spans: str) -> Iterable[int]:
    """"3,5-7": 3, 5, 6, 7."""
    for span in filter(None, spans.split(",")):
        first, _, last = span.partition("-")
        yield from range(int(first), int(last or first) + 1)


def is_statement(text: str) -> bool:
    """Whether a line of Verilog does something, other than deciding or ending."""
    return not _HEADS.match(text.strip())


def _points(fields: dict[str, str], texts: dict[str, list[str]]) -> Iterable[Point]:
    """The points that one entry of a file counts: a branch counts the statements behind it too."""
    file, line, kind, what = fields["f"], int(fields["l"]), fields["t"], fields.get("o", "")
    if file not in texts:
        texts[file] = Path(file).read_text().splitlines()
    lines = list(_lines(fields.get("S", "")))
    if max(line, *lines, 0) > len(texts[file]):
        raise CountsError(f"{file}: has no line {max(line, *lines)}: it has changed since it was counted")
    if kind in ("expr", "toggle") or what in BRANCHES:
        yield Point(file, line, kind if kind in ("expr", "toggle") else "branch", what)
    for number in lines:
        if is_statement(texts[file][number - 1]):
            yield Point(file, number, "line", "")


def read(files: Iterable[Path]) -> Counter[Point]:
    """The sums of several files; points that were never reached are there too, with 0."""
    entries: Counter[str] = Counter()
    for path in files:
        header, *lines = path.read_text().splitlines() or [""]
        if header != HEADER:
            raise CountsError(f"{path}: no coverage counts of Verilator, begins with {header[:40]!r}")
        for number, line in enumerate(lines, 2):
            entry, quote, count = line.rpartition("' ")
            if not quote or not count.isdigit():
                raise CountsError(f"{path}: line {number} has no count: {line[:40]!r}")
            entries[entry] += int(count)
    found, texts = Counter(), {}
    for entry, count in entries.items():
        for point in _points(_fields(entry), texts):
            found[point] += count
    return found
