"""Planting a fault: the changed text, and the step that puts it into whatever a test builds.

The step takes the fault from a file that PLANTED names, {"block": .., "place": {..}}. It changes each module of the
block that has the place; other modules, and builds without the block, stay as they are.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.hdl.hierarchy import ModuleFile
from llama2_myhdl.mutation.places import Place

FILE = "PLANTED"  # environment variable


class PlaceError(ValueError):
    """A text does not have a place."""


def planted(text: str, place: Place) -> str:
    """The text with the fault; PlaceError when it has no such line, or something else there."""
    begin, which = 0, place.which
    for line in text.splitlines(keepends=True):
        if line.strip() == place.line:
            if which == 0:
                at = begin + line.index(place.line) + place.column
                if text.startswith(place.was, at):
                    return text[:at] + place.now + text[at + len(place.was) :]
                break
            which -= 1
        begin += len(line)
    raise PlaceError(f"no {place.was!r} in line {place.line!r}, number {place.which}")


def has(text: str, place: Place) -> bool:
    """Whether the fault can be planted in a text."""
    try:
        return bool(planted(text, place))
    except PlaceError:
        return False


def write_fault(file: Path, block: str, place: Place) -> None:
    """The file for PLANTED."""
    write_whole(file, [json.dumps(dict(block=block, place=asdict(place))).encode()])


class Planted:
    """The step; see `sim.through`."""

    name = "planted"

    def __init__(self):
        self.identity = Path(os.environ[FILE]).read_text()
        fault = json.loads(self.identity)
        self._block, self._place = fault["block"], Place(**fault["place"])

    def arguments(self, sim: str) -> list[str]:
        """A fault may leave a signal unread, or reach beyond a memory: that is no error."""
        return ["-Wno-fatal", "-Wno-lint"] if sim == "verilator" else ["-Wno-all"]

    def __call__(self, modules: list[ModuleFile], folder: Path) -> list[ModuleFile]:
        return [ModuleFile(m.name, self._written(m, folder), m.block) for m in modules]

    def _written(self, module: ModuleFile, folder: Path) -> Path:
        text, file = module.file.read_text(), folder / module.file.name
        if module.block == self._block and has(text, self._place):
            text = planted(text, self._place)
        write_whole(file, [text.encode()])
        return file
