"""A coverage grid: the cross of named axes, each with named bins; counts, holes, and a printable table."""

from itertools import product

OTHER = " x "  # between the names of a row's bins


class Grid:
    """Cross coverage.

    name: of the grid; goal: how often every bin must be hit; ignore: function of the bins by axis, true where a
    combination cannot occur; axes: tuple of bin names (any hashable, printed with str) by axis, in order.
    """

    def __init__(self, name, goal=1, ignore=None, **axes):
        self.name, self.goal, self.axes = name, goal, {axis: tuple(bins) for axis, bins in axes.items()}
        cells = (dict(zip(self.axes, bins)) for bins in product(*self.axes.values()))
        self.counts = {tuple(cell.values()): 0 for cell in cells if not (ignore and ignore(**cell))}

    def sample(self, **bins):
        """Count one hit; KeyError for a bin that the grid does not have."""
        if bins.keys() != self.axes.keys():
            raise KeyError(f"{self.name}: axes {sorted(bins)}, expected {sorted(self.axes)}")
        cell = tuple(bins[axis] for axis in self.axes)
        if cell not in self.counts:
            raise KeyError(f"{self.name}: no bin {dict(zip(self.axes, cell))}")
        self.counts[cell] += 1

    @property
    def holes(self) -> list[tuple]:
        """Bins below the goal."""
        return [cell for cell, count in self.counts.items() if count < self.goal]

    @property
    def hits(self) -> int:
        return sum(self.counts.values())

    def facts(self) -> dict:
        """Name, axes, goal, and the count of every bin by the names of its place on each axis, as text."""
        counts = {OTHER.join(map(str, cell)): count for cell, count in self.counts.items()}
        return dict(name=self.name, axes=list(self.axes), goal=self.goal, counts=counts)

    def table(self) -> str:
        """Rows: all axes but the last; columns: the last one. `-`: cannot occur; `!`: below the goal."""
        *outer, inner = self.axes
        body = [[OTHER.join(outer), *map(str, self.axes[inner])]]
        for row in product(*(self.axes[axis] for axis in outer)):
            body.append([OTHER.join(map(str, row)), *(self._cell(row + (column,)) for column in self.axes[inner])])
        widths = [max(map(len, column)) for column in zip(*body)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in body]
        covered = f"{len(self.counts) - len(self.holes)} of {len(self.counts)} bins, goal {self.goal} each"
        return "\n".join([f"{self.name} ({inner} across): {covered}, {self.hits} hits", *lines])

    def _cell(self, cell):
        if cell not in self.counts:
            return "-"
        return f"{self.counts[cell]}{'!' if self.counts[cell] < self.goal else ''}"
