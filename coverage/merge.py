"""The counts of all builds as one: a place of a block is reached when any variant of it, in any build, reaches it.

A place is known by what it is in the MyHDL source: by process and line, or by the signal's name and its bit. So the
wide build's address bits and the small build's corner cases count for the same block.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from llama2_myhdl.coverage.counts import Point
from llama2_myhdl.coverage.origin import Line, Origins

_INDEX = re.compile(r"\[[^\]]*\]")
_OTHERWISE = {"else": "else of ", "elsif": "", "if": "", "case": ""}


class Place(NamedTuple):
    """Of a block; kind: of `counts.KINDS`; name: as exclusions and lists of holes have it; line: of MyHDL, or 0."""

    block: str
    kind: str
    name: str
    line: int


@dataclass
class Reached:
    """How often a place was reached in all builds, and where it stands. verilog: the file's name and the line."""

    count: int = 0
    verilog: tuple[str, int] = ("", 0)
    text: str = ""  # of that line
    source: Line | None = field(default=None, compare=False)


def _place(point: Point, block: str, origins: Origins) -> tuple[Place, Line | None]:
    if point.kind == "toggle":
        bit, _, change = point.what.rpartition(":")
        source = origins.signal(re.match(r"\w+", bit)[0])
        return Place(block, "toggle", f"{bit} {change}", 0), source
    source, process = origins.line(point.line), origins.process(point.line)
    text = source.text if source else origins.text[point.line - 1].strip()
    if point.kind == "expr":
        text = f"{_INDEX.sub('[]', point.what)} in {text}"  # the index may be a number of the variant's
    elif point.kind == "branch":
        text = _OTHERWISE.get(point.what, f"{point.what} of ") + text
    line = source.line if source else 0
    return Place(block, point.kind, f"{process}: {text}" if process else text, line), source


class Merged:
    """All places of all blocks. block_of: the block that a file of Verilog was made of; folders: of MyHDL."""

    def __init__(self, block_of: Callable[[Path], str], folders: tuple[Path, ...]):
        self.places: dict[Place, Reached] = {}
        self._block_of, self._folders = block_of, folders
        self._known: dict[str, tuple[str, Origins]] = {}  # by file of Verilog
        self._reached: dict[Point, Reached] = {}

    def add(self, counts: Mapping[Point, int]) -> None:
        """Take the counts of more simulations."""
        for point, count in counts.items():
            if point not in self._reached:
                self._reached[point] = self._find(point)
            self._reached[point].count += count

    def _find(self, point: Point) -> Reached:
        """What counts a point: that of its place, which other builds may have made already."""
        if point.file not in self._known:
            block = self._block_of(Path(point.file))
            self._known[point.file] = block, Origins(Path(point.file).read_text(), block, self._folders)
        block, origins = self._known[point.file]
        if origins.block is None:  # a block of the tests
            return Reached()
        place, source = _place(point, block, origins)
        if place not in self.places:
            verilog = Path(point.file).name, point.line
            self.places[place] = Reached(0, verilog, origins.text[point.line - 1].strip(), source)
        return self.places[place]
