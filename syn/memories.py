"""Each memory of a design: what it is, what it was meant to be in, and what it is in.

Yosys collects a memory in one `$mem_v2` cell before it maps it; the cells of a RAM that it becomes carry its name.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from rich.table import Table

from llama2_myhdl.syn.cells import Netlist
from llama2_myhdl.syn.owners import within
from llama2_myhdl.syn.targets import RAM_KINDS, Target

LARGE = 64  # words: a memory of fewer may be anything
LOGIC, AUTO = "logic", "auto"
HARD = ("block", "ultra")
_CELL = re.compile(r"^\s*cell (\S+) (\S+)$")
_ATTRIBUTE = re.compile(r'^\s*attribute \\(\w+) "?([^"]*)"?$')
_PARAMETER = re.compile(r"^\s*parameter \\(\w+) (\d+)$")
_INDEXED = re.compile(r"\.\d+(\.|$)")


@dataclass(frozen=True)
class Whole:
    """A cell before it is mapped, as Yosys dumps it."""

    type: str
    name: str
    attributes: dict[str, str]
    parameters: dict[str, int]


@dataclass(frozen=True)
class Memory:
    """name: from the design's top; writable: no table; intended: a kind of RAM, or auto; kind: what it is in;
    cells: {primitive: how many}.
    """

    name: str
    words: int
    bits: int
    writable: bool
    intended: str
    kind: str
    cells: dict[str, int]

    @property
    def large(self) -> bool:
        return self.words >= LARGE

    def fault(self) -> str:
        """What is wrong with it; empty when nothing is."""
        what = f"{self.name}: {self.words} words of {self.bits} bits"
        if self.large and self.writable and self.kind == LOGIC:
            return f"{what} are in flip-flops"
        if self.large and self.intended != AUTO and self.kind != self.intended:
            return f"{what} must be in {self.intended} RAM, are in {self.kind}"
        return ""


def parse(text: str) -> Iterator[Whole]:
    """The cells of a dump in Yosys' own format."""
    attributes, cell = {}, None
    for line in text.splitlines():
        if found := _CELL.match(line):
            cell = Whole(found[1], found[2].removeprefix("\\"), attributes, {})
        elif found := _ATTRIBUTE.match(line):
            attributes[found[1]] = found[2]
        elif cell and (found := _PARAMETER.match(line)):
            cell.parameters[found[1]] = int(found[2])
        elif cell and line.strip() == "end":
            yield cell
            attributes, cell = {}, None


def latches(dump: list[Whole]) -> list[str]:
    """Names of the latches in a dump."""
    return [cell.name for cell in dump if cell.type != "$mem_v2"]


def _kind(cells: dict[str, int], target: Target) -> str:
    kinds = [RAM_KINDS[target.cells[cell][0]] for cell in cells]
    return max(kinds, key=("distributed", "block", "ultra").index, default=LOGIC)


def _title(netlist: Netlist, name: str, top: str) -> str:
    scope = netlist.scope(name)
    own = "table" if name.startswith("$") else name[len(scope) + 1 if scope else 0 :]
    inside = within(scope, top)
    return f"{inside}.{own}" if inside else own


def find(dump: list[Whole], netlist: Netlist, target: Target, top: str) -> list[Memory]:
    """The memories of a dump, the largest first."""
    rams = {cell for column in RAM_KINDS for cell in target.of(column)}
    cells: dict[str, Counter] = {}
    for cell in netlist.cells:
        if cell.type in rams and (index := _INDEXED.search(cell.name)):
            cells.setdefault(cell.name[: index.start()], Counter())[cell.type] += 1
    found = []
    for whole in (whole for whole in dump if whole.type == "$mem_v2"):
        own = dict(cells.get(whole.name, {}))
        intended = whole.attributes.get("ram_style", AUTO)
        size = (whole.parameters["SIZE"], whole.parameters["WIDTH"], whole.parameters["WR_PORTS"] > 0)
        found.append(Memory(_title(netlist, whole.name, top), *size, intended, _kind(own, target), own))
    return sorted(found, key=lambda memory: (-memory.words * memory.bits, memory.name))


def filled(memory: Memory, target: Target) -> float | None:
    """The share of its primitives' bits that it has; None in logic. Above 1 where nobody reads some of them."""
    room = sum(number * target.cells[cell][1] * target.bits[target.cells[cell][0]]
               for cell, number in memory.cells.items())  # fmt: skip
    return memory.words * memory.bits / room if room else None


def memory_table(memories: list[Memory], target: Target) -> Table:
    """The memories of LARGE words or more."""
    table = Table("memory", "words", "bits", "meant", "is in", "primitives", "filled", title="memories")
    for column in (1, 2, 6):
        table.columns[column].justify = "right"
    for memory in (memory for memory in memories if memory.large):
        share = filled(memory, target)
        cells = ", ".join(f"{number} {cell}" for cell, number in sorted(memory.cells.items()))
        kind = f"[red]{memory.kind}" if memory.fault() else memory.kind
        table.add_row(memory.name, f"{memory.words:,}", str(memory.bits), memory.intended, kind, cells,
                      f"{share:.0%}" if share is not None else "")  # fmt: skip
    return table
