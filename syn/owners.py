"""Whose a mapped cell is: the instance of the hierarchy that its logic stands in.

The design is flattened before it is optimised, or the counts would be those of another design. What is left are names.
A memory's or multiplier's cell keeps the instance in its own. Everything else is told by the net that it drives: of all
names of a net the innermost one that is no input of its instance is where it is driven, by the direction of ports in
the Verilog. A cell without such a name is inside logic that has been rewritten: it belongs to the cells that it feeds,
and if these are in several instances, to the innermost one around all of them.
"""

from collections.abc import Iterable

from llama2_myhdl.syn.cells import Cell, Netlist

Directions = dict[str, dict[str, str]]  # {module: {port: input or output}}


def around(scopes: Iterable[str]) -> str:
    """The innermost instance that holds all of these."""
    paths = [scope.split(".") if scope else [] for scope in scopes]
    shared = []
    for parts in zip(*paths):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared)


class _Names:
    """Where nets are driven, as far as names tell."""

    def __init__(self, netlist: Netlist, directions: Directions):
        self._netlist, self._directions, self._known = netlist, directions, {}

    def home(self, net: int) -> str | None:
        """The innermost instance in which the net has a name and is no input; None when there is none."""
        if net not in self._known:
            scopes = [self._inside(name) for name in self._netlist.nets.get(net, ())]
            self._known[net] = max((s for s in scopes if s is not None), key=lambda s: s.count(".") + bool(s),
                                   default=None)  # fmt: skip
        return self._known[net]

    def _inside(self, name: str) -> str | None:
        scope = self._netlist.scope(name)
        local = name[len(scope) + 1 if scope else 0 :].partition("[")[0]
        ports = self._directions.get(self._netlist.scopes[scope], {})
        return None if scope and ports.get(local) == "input" else scope


def _by_name(cell: Cell, netlist: Netlist, names: _Names) -> str | None:
    own = netlist.scope(cell.name)
    if own:
        return own
    homes = [home for home in map(names.home, cell.outs) if home is not None]
    return max(homes, key=lambda scope: scope.count("."), default=None)


def owners(netlist: Netlist, directions: Directions) -> dict[str, str]:
    """{cell: instance}."""
    names = _Names(netlist, directions)
    found = {cell.name: _by_name(cell, netlist, names) for cell in netlist.cells}
    fed = {
        cell.name: {reader.name for net in cell.outs for reader in netlist.readers.get(net, ())}
        for cell in netlist.cells
        if found[cell.name] is None
    }
    while fed:
        ready = [name for name, readers in fed.items() if all(found[reader] is not None for reader in readers)]
        for name in ready or fed:  # where cells feed each other in a ring, what is known must do
            found[name] = around(found[reader] for reader in fed[name] if found[reader] is not None)
        for name in ready or list(fed):
            del fed[name]
    return found


def within(scope: str, instance: str) -> str | None:
    """A scope as seen from an instance, "" for the instance itself; None when it lies outside."""
    if scope == instance:
        return ""
    return scope.removeprefix(f"{instance}.") if scope.startswith(f"{instance}.") else None
