"""Small mapped netlists for tests, written as text."""

from llama2_myhdl.syn.cells import Netlist, parse

TOP = "wrapped"


def netlist(text: str, scopes: dict[str, str]) -> Netlist:
    """A line is `cell type inputs > outputs [@ source]`, an input or output is a net or PORT:net.

    A name of a net that begins with `_` is one that nobody gave. scopes: {instance: module}.
    """
    numbers: dict[str, int] = {}
    names: dict[str, dict] = {}
    cells = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        line, _, source = line.partition(" @ ")
        name, kind, *joined = line.split()
        cell = dict(type=kind, attributes=dict(src=source), port_directions={}, connections={})
        way = "input"
        for place, word in enumerate(joined):
            if word == ">":
                way = "output"
                continue
            port, colon, net = word.rpartition(":")
            port = port if colon else f"{way[0].upper()}{place}"
            number = numbers.setdefault(net, len(numbers) + 2)
            cell["port_directions"][port], cell["connections"][port] = way, [number, "0"]
            names[net] = dict(hide_name=int(net.startswith("_")), bits=[number])
        cells[name] = cell
    return parse({"modules": {TOP: dict(cells=cells, netnames=names)}}, TOP, scopes)
