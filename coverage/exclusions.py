"""Places that need not be reached: a line each in exclusions.txt, with its reason.

    KIND BLOCK PLACE # reason

PLACE is a place's name, as the list of holes has it; `*` stands for any text, and `signal[7:4]` for the toggles of
these bits. What excludes no hole is an error, so that none outlives its cause.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from llama2_myhdl.coverage.counts import KINDS
from llama2_myhdl.coverage.merge import Place

FILE = Path(__file__).with_name("exclusions.txt")
_ENTRY = re.compile(r"(\w+) +(\w+) +(\S.*?) +# +(\S.*)")
_BITS = re.compile(r"(.+)\[(\d+):(\d+)\]")


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
        return (self.kind, self.block) == (place.kind, place.block) and bool(self._pattern().fullmatch(place.name))

    def _pattern(self) -> re.Pattern:
        name, bits = self.place, ""
        if self.kind == "toggle":
            if match := _BITS.fullmatch(name):
                low, high = sorted((int(match[2]), int(match[3])))
                name, bits = match[1], rf"\[({'|'.join(map(str, range(low, high + 1)))})\]"
            elif "[" not in name:
                bits = r"(\[.*\])?"
            bits += " (0->1|1->0)" if "->" not in name else ""
        return re.compile(".*".join(map(re.escape, name.split("*"))) + bits)


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
    by_block: dict[tuple[str, str], list[Exclusion]] = {}
    for exclusion in exclusions:
        by_block.setdefault((exclusion.kind, exclusion.block), []).append(exclusion)
    found, used = {}, set()
    for place in holes:
        for exclusion in by_block.get((place.kind, place.block), ()):
            if exclusion.fits(place):
                found.setdefault(place, exclusion)
                used.add(exclusion)
    return found, [exclusion for exclusion in exclusions if exclusion not in used]
