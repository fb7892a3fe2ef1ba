"""What a design takes of a device: counts by instance and by module, and how full that makes each part."""

from collections import Counter
from dataclasses import dataclass

from rich.table import Table

from llama2_myhdl.syn.cells import Netlist
from llama2_myhdl.syn.owners import within
from llama2_myhdl.syn.targets import LUT, Target

SMALL = 0.005  # of the design: too little for a row of its own
Counts = dict[str, float]  # by column of the target


@dataclass(frozen=True)
class Resources:
    """own: {instance: counts of its own cells, without those of instances in it}; modules: {instance: module}."""

    target: Target
    own: dict[str, Counts]
    modules: dict[str, str]

    @property
    def total(self) -> Counts:
        return self.below("")

    def below(self, instance: str) -> Counts:
        """Counts of an instance with all that is in it."""
        total: Counter = Counter()
        for scope, counts in self.own.items():
            if not instance or within(scope, instance) is not None:
                total.update(counts)
        return {column: total[column] for column in self.target.columns}

    def by_module(self) -> dict[str, Counts]:
        """Counts of each module's own cells, of all its instances."""
        result: dict[str, Counter] = {}
        for scope, counts in self.own.items():
            result.setdefault(self.modules[scope], Counter()).update(counts)
        return {module: {column: counts[column] for column in self.target.columns} for module, counts in result.items()}


def count(netlist: Netlist, owner: dict[str, str], target: Target, top: str) -> Resources:
    """The counts of instance `top` and all that is in it, by their paths from there; what lies outside is left out."""
    modules = {path: module for scope, module in netlist.scopes.items() if (path := within(scope, top)) is not None}
    own: dict[str, Counter] = {}
    for cell in netlist.cells:
        if cell.type in target.cells and (path := within(owner[cell.name], top)) is not None:
            column, amount = target.cells[cell.type]
            own.setdefault(path, Counter())[column] += amount
    return Resources(target, {path: dict(counts) for path, counts in own.items()}, modules)


def uncounted(netlist: Netlist, target: Target) -> list[str]:
    """Kinds of cells that the target does not know: what they take would be missing in the counts."""
    known = target.cells.keys() | target.wires | target.others
    return sorted({cell.type for cell in netlist.cells} - known)


def used(resources: Counts, target: Target, part: str) -> dict[str, float]:
    """The share of each kind that a part has, from 0 on; above 1 it does not fit."""
    places = target.parts[part]
    taken = dict(resources) | {LUT: target.lut_sites(resources)}
    return {column: taken.get(column, 0) / places[column] for column in places}


def number(value: float) -> str:
    """A count, with its half where it has one; nothing for none."""
    return f"{value:,.1f}".removesuffix(".0") if value else ""


def module_table(resources: Resources, depth: int = 2) -> Table:
    """The hierarchy down to a depth, without the smallest: each row with all that is below it."""
    whole = resources.total
    table = Table("instance", "module", *resources.target.columns, title="resources")
    for column in table.columns[2:]:
        column.justify = "right"
    for path in sorted(resources.modules, key=lambda path: path.split(".") if path else []):
        level = path.count(".") + bool(path)
        counts = resources.below(path)
        if level <= depth and any(counts[column] > SMALL * whole[column] for column in counts):
            name = "  " * level + (path.rpartition(".")[2] or "the design")
            cells = [number(counts[column]) for column in resources.target.columns]
            table.add_row(name, resources.modules[path], *cells)
    return table


def part_table(resources: Counts, target: Target) -> Table:
    """How full the parts of the target would be; LUT counts all places of a LUT, carries' and LUT RAMs' too."""
    columns = list(next(iter(target.parts.values())))
    table = Table("part", *columns, "fits", title="utilisation")
    for column in table.columns[1:-1]:
        column.justify = "right"
    for part in target.parts:
        shares = used(resources, target, part)
        fits = all(share <= 1 for share in shares.values())
        table.add_row(part, *(f"{shares[column]:.1%}" for column in columns), "yes" if fits else "[red]no")
    return table
