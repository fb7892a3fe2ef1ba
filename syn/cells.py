"""A mapped netlist as Yosys writes it in JSON: its cells, what joins them, and the instances that they came from."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from llama2_myhdl.syn import tools

_FLATTENED = re.compile(r"\$flatten((?:\\\w+\.)+)")


@dataclass(frozen=True)
class Cell:
    """source: where in the Verilog it comes from, as Yosys has it; inputs, outputs: (port, nets of its bits).

    A net is a number; constants are left out.
    """

    name: str
    type: str
    source: str
    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    outputs: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def ins(self) -> Iterator[int]:
        return (net for _, nets in self.inputs for net in nets)

    @property
    def outs(self) -> Iterator[int]:
        return (net for _, nets in self.outputs for net in nets)


@dataclass(frozen=True)
class Netlist:
    """cells; nets: {net: its names}, those that people gave, as in `u_engine_0.u_matvec.row[3]`, of which the optimiser
    has left one of many; scopes: {instance: module}, the top is the instance "".
    """

    cells: tuple[Cell, ...]
    nets: dict[int, tuple[str, ...]]
    scopes: dict[str, str]

    @cached_property
    def drivers(self) -> dict[int, Cell]:
        return {net: cell for cell in self.cells for net in cell.outs}

    @cached_property
    def readers(self) -> dict[int, list[Cell]]:
        found: dict[int, list[Cell]] = {}
        for cell in self.cells:
            for net in set(cell.ins):
                found.setdefault(net, []).append(cell)
        return found

    def scope(self, name: str) -> str:
        """The innermost instance that a name of a net or cell lies in."""
        if private := _FLATTENED.match(name):
            name = private[1].replace("\\", "")
        while "." in name:
            name = name.rpartition(".")[0]
            if name in self.scopes:
                return name
        return ""


def _bits(nets: Iterable) -> tuple[int, ...]:
    return tuple(net for net in nets if isinstance(net, int))


def parse(document: dict, top: str, scopes: dict[str, str]) -> Netlist:
    """The netlist of module `top` with these instances; ToolError when there is none."""
    if top not in document.get("modules", {}):
        raise tools.ToolError(f"the netlist has no module {top}")
    module = document["modules"][top]
    cells, nets = [], {}
    for name, cell in module["cells"].items():
        ways = cell["port_directions"]
        joined = [(port, _bits(bits)) for port, bits in cell["connections"].items()]
        inputs = tuple((port, bits) for port, bits in joined if ways[port] == "input")
        outputs = tuple((port, bits) for port, bits in joined if ways[port] != "input")
        cells.append(Cell(name, cell["type"], cell.get("attributes", {}).get("src", ""), inputs, outputs))
    for name, net in module["netnames"].items():
        if not net["hide_name"]:
            indexed = len(net["bits"]) > 1
            for place, bit in enumerate(net["bits"]):
                if isinstance(bit, int):
                    nets.setdefault(bit, []).append(f"{name}[{place}]" if indexed else name)
    return Netlist(tuple(cells), {net: tuple(names) for net, names in nets.items()}, scopes)


def read(path: Path, top: str, scopes: dict[str, str]) -> Netlist:
    """The netlist in a file that Yosys wrote."""
    return parse(json.loads(path.read_text()), top, scopes)
