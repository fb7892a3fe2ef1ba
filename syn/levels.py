"""The longest ways from register to register by LUT levels, with the cells of carry chains counted apart.

A way begins at an output of a flip-flop, block RAM or multiplier and ends at an input of one; what is on it are LUTs,
the look-up of a LUT RAM (one level), multiplexers that belong to a LUT's place (none), and carry cells.
"""

import re
from dataclasses import dataclass

from rich.table import Table

from llama2_myhdl.syn.cells import Cell, Netlist
from llama2_myhdl.syn.owners import within
from llama2_myhdl.syn.targets import CARRY, LUT_RAM, Target

SHOWN = 12  # rows of the table
PORTS = "(ports)"


@dataclass(frozen=True)
class Path:
    """levels: LUTs; carries: carry cells; start, end: the instances, start_net, end_net: nets with a name near them."""

    levels: int
    carries: int
    start: str
    end: str
    start_net: str
    end_net: str


Arrival = tuple[int, int, int]  # LUT levels, carry cells, net at which the way begins


class _Ways:
    """The longest way to each net."""

    def __init__(self, netlist: Netlist, target: Target):
        self._netlist, self._target = netlist, target
        self._rams = target.of(LUT_RAM)
        self._through = target.levels | target.wires | target.of(CARRY) | self._rams
        self.arrivals: dict[int, Arrival] = {}
        self.last: dict[int, Cell] = {}  # driver of each net that is on a way
        self.looping = self._walk()

    def _reads(self, cell: Cell) -> list[int]:
        """Nets that a cell's outputs follow within a cycle."""
        if cell.type not in self._rams:
            return list(cell.ins)
        return [net for port, nets in cell.inputs if re.fullmatch(self._target.read, port) for net in nets]

    def _cost(self, cell: Cell) -> tuple[int, int]:
        if cell.type in self._target.of(CARRY):
            return 0, 1
        return (0 if cell.type in self._target.wires else 1), 0

    def _walk(self) -> list[Cell]:
        """Fill in the arrivals; the cells that could not be reached in any order: those of loops and behind them."""
        inner = {cell.name: cell for cell in self._netlist.cells if cell.type in self._through}
        reads = {name: set(self._reads(cell)) for name, cell in inner.items()}
        driven = {net for cell in inner.values() for net in cell.outs}
        waits = {name: len(nets & driven) for name, nets in reads.items()}
        behind: dict[int, list[str]] = {}
        for name, nets in reads.items():
            for net in nets & driven:
                behind.setdefault(net, []).append(name)
        ready = [name for name, count in waits.items() if not count]
        while ready:
            cell = inner[ready.pop()]
            levels, carries = self._cost(cell)
            worst = max((self.at(net) for net in reads[cell.name]), default=None)
            for net in cell.outs:
                self.last[net] = cell
                self.arrivals[net] = (worst[0] + levels, worst[1] + carries, worst[2]) if worst else (0, 0, net)
                for name in behind.get(net, ()):
                    waits[name] -= 1
                    if not waits[name]:
                        ready.append(name)
        return [inner[name] for name, count in waits.items() if count]

    def at(self, net: int) -> Arrival:
        return self.arrivals.get(net, (0, 0, net))

    def ends(self) -> list[tuple[Cell, int]]:
        """Cells in which a way ends, with the nets at which it does."""
        found = []
        for cell in self._netlist.cells:
            if cell.type in self._target.ends:
                found += [(cell, net) for net in set(cell.ins)]
            elif cell.type in self._rams:
                found += [(cell, net) for net in set(cell.ins) - set(self._reads(cell))]
        return found


def loops(netlist: Netlist, target: Target) -> list[str]:
    """Names of cells in combinational loops, or behind one; empty when there is none."""
    return sorted(cell.name for cell in _Ways(netlist, target).looping)


def longest(netlist: Netlist, owner: dict[str, str], target: Target, top: str) -> list[Path]:
    """The longest way between any two instances of `top`, those of most levels first.

    What begins or ends outside `top`, in the wrapper's registers, does so at PORTS.
    """
    ways, worst = _Ways(netlist, target), {}

    def place(cell: Cell) -> str:
        path = within(owner[cell.name], top)
        return PORTS if path is None else path

    for cell, net in ways.ends():
        levels, carries, begin = ways.at(net)
        source = netlist.drivers.get(begin)
        if (levels or carries) and source and source.type in target.ends:
            key = (place(source), place(cell))
            found = (levels, carries, begin, net, cell.name)
            if key != (PORTS, PORTS) and found > worst.get(key, ()):
                worst[key] = found
    cells = {cell.name: cell for cell in netlist.cells}

    def name(net: int) -> str:
        return min(netlist.nets.get(net, ("",)), key=len).rpartition(".")[2]

    def reached(cell: Cell, net: int) -> str:
        """What the cell at the end drives, as what enters it seldom has a name."""
        return next((found for out in cell.outs if (found := name(out))), name(net))

    order = sorted(worst.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
    return [
        Path(levels, carries, start, end, name(begin), reached(cells[cell], net))
        for (start, end), (levels, carries, begin, net, cell) in order
    ]


def level_table(paths: list[Path]) -> Table:
    """The longest paths."""
    table = Table("LUT levels", "carry cells", "from", "to", title="longest paths between registers")
    for path in paths[:SHOWN]:
        begin, end = (
            f"{where or 'the design'}: {net}" if net else where for where, net in
            ((path.start, path.start_net), (path.end, path.end_net))
        )  # fmt: skip
        table.add_row(str(path.levels), str(path.carries), begin, end)
    return table
