"""Places that need not be reached: a line each in exclusions.txt, with its reason.

    KIND BLOCK PLACE # reason

PLACE is a place's name, as the list of holes has it; `*` stands for any text, there and in BLOCK, and `4..7` for a
number from 4 to 7: `signal[4..7]` are the toggles of these bits, `signal` those of all. What excludes no hole is an
error, so that none outlives its cause.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from llama2_myhdl.coverage.counts import KINDS
from llama2_myhdl.coverage.merge import Place

FILE = Path(__file__).with_name("exclusions.txt")
_ENTRY = re.compile(r"(\w+) +([\w*]+) +(\S.*?) +# +(\S.*)")
_SPECIAL = re.compile(r"(\*|\d+\.\.\d+)")


class ExclusionError(ValueError):
    """An exclusion that says no reason, or excludes nothing: one line."""


@dataclass(frozen=True)
class Exclusion:
    """line: of the file; the others as there."""

    line: int
    kind: str
    block: str
    place: str
    reason: str

    def fits(self, place: Place) -> bool:
        """Whether it means this place."""
        return self.kind == place.kind and bool(
            self._blocks.fullmatch(place.block) and self._places.fullmatch(place.name)
        )

    @cached_property
    def _blocks(self) -> re.Pattern:
        return re.compile(_pattern(self.block))

    @cached_property
    def _places(self) -> re.Pattern:
        pattern = _pattern(self.place)
        if self.kind == "toggle":
            pattern += r"(\[.*\])?" if "[" not in self.place else ""
            pattern += " (0->1|1->0)" if "->" not in self.place else ""
        return re.compile(pattern)


def _pattern(text: str) -> str:
    """What a name must match."""
    return "".join(map(_meaning, _SPECIAL.split(text)))


def _meaning(part: str) -> str:
    """The pattern of a part of a place's name."""
    if part == "*":
        return ".*"
    low, dots, high = part.partition("..")
    if dots and low.isdigit() and high.isdigit():
        return f"({'|'.join(map(str, range(int(low), int(high) + 1)))})"
    return re.escape(part)


def parse(text: str, name: str = FILE.name) -> list[Exclusion]:
    """The exclusions of a file; ExclusionError for a line without a reason or of no kind."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _ENTRY.fullmatch(line.strip())
        if not match:
            raise ExclusionError(f"{name}: line {number}: must be KIND BLOCK PLACE # reason, is {line!r}")
        if match[1] not in KINDS:
            raise ExclusionError(f"{name}: line {number}: kind must be one of {', '.join(KINDS)}, is {match[1]!r}")
        found.append(Exclusion(number, *match.groups()))
    return found


def excluded(exclusions: list[Exclusion], holes: Iterable[Place]) -> tuple[dict[Place, Exclusion], list[Exclusion]]:
    """The holes that are excluded, each with the first exclusion that fits, and the exclusions that fit none."""
    found, used = {}, set()
    for place in holes:
        for exclusion in exclusions:
            if exclusion.fits(place):
                found.setdefault(place, exclusion)
                used.add(exclusion)
    return found, [exclusion for exclusion in exclusions if exclusion not in used]
