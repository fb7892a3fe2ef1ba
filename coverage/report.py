"""What a run found: figures by block, the holes that are left, and both as text."""

import re
from collections import Counter
from collections.abc import Iterable

from llama2_myhdl.coverage.counts import KINDS
from llama2_myhdl.coverage.exclusions import Exclusion, excluded
from llama2_myhdl.coverage.merge import Place, Reached

BARS = {"line": 100.0, "branch": 98.0, "toggle": 95.0}  # percent, of a run of all tests
HEADS = {"line": "statements", "branch": "branches", "expr": "conditions", "toggle": "toggles"}
TITLES = ("block", "places", "excluded", *(f"{head} %" for head in HEADS.values()))
MOST_HOLES = 400  # lines of a list that is printed
_BLOCK = re.compile(rf": (?:{'|'.join(KINDS)}) (\w+) ")  # in the line of a hole

Figures = dict[str, list[int]]  # by kind: places, reached, excluded


def share(figures: list[int]) -> float:
    """Percent of the places that are not excluded."""
    places, reached, out = figures
    return 100.0 * reached / (places - out) if places > out else 100.0


def percent(value: float) -> str:
    """One digit, and 100.0 only for all."""
    return f"{min(value, 99.9) if value < 100 else value:.1f}"


def added(rows: Iterable[Figures]) -> Figures:
    """The sum of several blocks."""
    total = {kind: [0, 0, 0] for kind in KINDS}
    for row in rows:
        for kind, values in row.items():
            total[kind] = [a + b for a, b in zip(total[kind], values)]
    return total


class Result:
    """The figures of all blocks, the holes, and the exclusions that fit nothing."""

    def __init__(self, places: dict[Place, Reached], exclusions: list[Exclusion]):
        holes = [place for place, reached in places.items() if not reached.count]
        out, self.unused = excluded(exclusions, holes)
        self.holes = {place: places[place] for place in holes if place not in out}
        self.blocks: dict[str, Figures] = {}
        for place, reached in places.items():
            row = self.blocks.setdefault(place.block, {kind: [0, 0, 0] for kind in KINDS})
            row[place.kind][0] += 1
            row[place.kind][1] += reached.count > 0
            row[place.kind][2] += place in out


def below(blocks: dict[str, Figures]) -> list[str]:
    """A line for each block and kind below its bar."""
    found = []
    for block, row in sorted(blocks.items()):
        for kind, bar in BARS.items():
            if share(row[kind]) < bar:
                found.append(f"{block}: {percent(share(row[kind]))}% of the {HEADS[kind]}, must be {bar:g}%")
    return found


def rows(blocks: dict[str, Figures]) -> list[tuple[str, ...]]:
    """A row for each block and one for all: places, excluded ones, percent of each kind."""
    ordered = [*sorted(blocks.items()), ("all", added(blocks.values()))]
    found = []
    for block, row in ordered:
        counts = (sum(values[0] for values in row.values()), sum(values[2] for values in row.values()))
        shares = (percent(share(row[kind])) if row[kind][0] else "" for kind in KINDS)
        found.append((block, *(f"{count:,}" for count in counts), *shares))
    return found


def lines(blocks: dict[str, Figures]) -> list[str]:
    """The table as text."""
    table = [TITLES, *rows(blocks)]
    widths = [max(len(row[k]) for row in table) for k in range(len(TITLES))]
    return ["  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]) for row in table]


def holes(found: dict[Place, Reached]) -> list[str]:
    """A line for each hole, the toggles of a signal together: its place in MyHDL, its Verilog, its name."""
    toggles: dict[tuple[str, str], list[Place]] = {}
    said = []
    for place, reached in sorted(found.items()):
        if place.kind == "toggle":
            toggles.setdefault((place.block, re.match(r"\w+", place.name)[0]), []).append(place)
        else:
            said.append(_hole(place, reached, place.name))
    for (_, signal), places in toggles.items():
        bits = Counter(re.sub(r"^\w+", "", place.name) for place in places)
        shown = ", ".join(bits) if len(bits) <= 6 else f"{', '.join(list(bits)[:6])} and {len(bits) - 6} more"
        said.append(_hole(places[0], found[places[0]], f"{signal}{shown}"))
    return said


def by_block(lines: Iterable[str]) -> dict[str, list[str]]:
    """The lines of `holes` by the block that they are of."""
    found: dict[str, list[str]] = {}
    for line in lines:
        found.setdefault(_BLOCK.search(line)[1], []).append(line)
    return dict(sorted(found.items()))


def _hole(place: Place, reached: Reached, what: str) -> str:
    source = reached.source
    where = f"{source.file.name}:{source.line}" if source else "no line of MyHDL"
    return f"{where}: {place.kind} {place.block} {what}  [{reached.verilog[0]}:{reached.verilog[1]}: {reached.text}]"
