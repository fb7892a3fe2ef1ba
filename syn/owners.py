"""Whose a mapped cell is: the instance of the hierarchy that its logic stands in.

The design is flattened before it is optimised, or the counts would be those of another design. What is left is told by
what a cell carries. The cells of a memory have its name, and that begins with the instance. Flip-flops, carry cells and
multipliers carry the place in the Verilog that they come from, and those of all instances around it; flip-flops of a
small memory drive nets that have its name. LUTs carry nothing, as logic is rewritten as a whole: a LUT belongs to the
cells that it feeds, and if these are in several instances, to the innermost one around all of them.
"""

from collections.abc import Iterable

from llama2_myhdl.syn.cells import Cell, Netlist
from llama2_myhdl.syn.instances import Tree


def around(scopes: Iterable[str]) -> str:
    """The innermost instance that holds all of these."""
    paths = [scope.split(".") if scope else [] for scope in scopes]
    shared = []
    for parts in zip(*paths):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared)


def _carried(cell: Cell, netlist: Netlist, tree: Tree) -> str | None:
    """The instance that a cell's name, its source or its net says; None when they say none."""
    own = netlist.scope(cell.name) or tree.instance(cell.source)
    if own is not None:
        return own
    return next((netlist.scope(name) for net in cell.outs for name in netlist.nets.get(net, ())), None)


def owners(netlist: Netlist, tree: Tree) -> dict[str, str]:
    """{cell: instance}."""
    found = {cell.name: _carried(cell, netlist, tree) for cell in netlist.cells}
    fed = {
        cell.name: {reader.name for net in cell.outs for reader in netlist.readers.get(net, ())}
        for cell in netlist.cells
        if found[cell.name] is None
    }
    while fed:
        known = {name: [found[r] for r in readers if found[r] is not None] for name, readers in fed.items()}
        ready = [name for name, readers in fed.items() if len(known[name]) == len(readers)]
        ready = ready or [name for name in fed if known[name]] or list(fed)  # cells may feed each other in a ring
        for name in ready:
            found[name] = around(known[name])
            del fed[name]
    return found


def within(scope: str, instance: str) -> str | None:
    """A scope as seen from an instance, "" for the instance itself; None when it lies outside."""
    if scope == instance:
        return ""
    return scope.removeprefix(f"{instance}.") if scope.startswith(f"{instance}.") else None
