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
MOST = 12  # LUT levels of a way


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


class Ways:
    """The longest way to each net."""

    def __init__(self, netlist: Netlist, target: Target):
        self.netlist, self.target = netlist, target
        self._rams = target.of(LUT_RAM)
        self._carries = target.of(CARRY)
        self._through = target.levels | target.wires | self._carries | self._rams
        self._ends = target.ends
        starts = (net for cell in netlist.cells if cell.type in self._ends for net in cell.outs)
        self.arrivals: dict[int, Arrival] = {net: (0, 0, net) for net in starts}
        self._looping = self._walk()

    def _reads(self, cell: Cell) -> list[int]:
        """Nets that a cell's outputs follow within a cycle."""
        if cell.type not in self._rams:
            return list(cell.ins)
        return [net for port, nets in cell.inputs if re.fullmatch(self.target.read, port) for net in nets]

    def _cost(self, cell: Cell) -> tuple[int, int]:
        if cell.type in self._carries:
            return 0, 1
        return (0 if cell.type in self.target.wires else 1), 0

    def _walk(self) -> list[Cell]:
        """Fill in the arrivals; the cells that could not be reached in any order: those of loops and behind them."""
        inner = {cell.name: cell for cell in self.netlist.cells if cell.type in self._through}
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
            worst = max((self.arrivals[net] for net in reads[cell.name] if net in self.arrivals), default=None)
            for net in cell.outs:
                if worst:
                    self.arrivals[net] = (worst[0] + levels, worst[1] + carries, worst[2])
                for name in behind.get(net, ()):
                    waits[name] -= 1
                    if not waits[name]:
                        ready.append(name)
        return [inner[name] for name, count in waits.items() if count]

    @property
    def loops(self) -> list[str]:
        """Names of cells in combinational loops, or behind one; empty when there is none."""
        return sorted(cell.name for cell in self._looping)

    def ends(self) -> list[tuple[Cell, int]]:
        """Cells in which a way ends, with the nets at which it does."""
        found = []
        for cell in self.netlist.cells:
            if cell.type in self._ends | self._rams:
                read = set(self._reads(cell)) if cell.type in self._rams else set()
                found += [(cell, net) for net in (set(cell.ins) - read) & self.arrivals.keys()]
        return found


def longest(ways: Ways, owner: dict[str, str], top: str) -> list[Path]:
    """The longest way between any two instances of `top`, those of most levels first.

    What begins or ends outside `top`, in the wrapper's registers, does so at PORTS.
    """
    worst, netlist = {}, ways.netlist

    def place(cell: Cell) -> str:
        path = within(owner[cell.name], top)
        return PORTS if path is None else path

    for cell, net in ways.ends():
        levels, carries, begin = ways.arrivals[net]
        key = (place(netlist.drivers[begin]), place(cell))
        found = (levels, carries, begin, net, cell.name)
        if (levels or carries) and key != (PORTS, PORTS) and found > worst.get(key, ()):
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


def too_long(paths: list[Path]) -> list[str]:
    """A line for each way of more than MOST levels."""
    return [
        f"{path.levels} LUT levels from {path.start} to {path.end}, at most {MOST} are wanted"
        for path in paths
        if path.levels > MOST
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
