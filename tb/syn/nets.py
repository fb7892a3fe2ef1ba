"""Small mapped netlists for tests, written as text."""

from llama2_myhdl.syn.cells import Netlist, parse

TOP = "wrapped"


def netlist(text: str, scopes: dict[str, str]) -> Netlist:
    """A line is `cell type inputs > outputs`, each a net, or PORT:net; a net is names of it joined by `=`.

    A name that begins with `_` is one that nobody gave. scopes: {instance: module}.
    """
    numbers: dict[str, int] = {}
    names: dict[str, dict] = {}
    cells = {name: dict(type="$scopeinfo", attributes=dict(module=module)) for name, module in scopes.items()}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, kind, *joined = line.split()
        cell = dict(type=kind, port_directions={}, connections={})
        way = "input"
        for place, word in enumerate(joined):
            if word == ">":
                way = "output"
                continue
            port, colon, net = word.rpartition(":")
            port = port if colon else f"{way[0].upper()}{place}"
            aliases = net.split("=")
            number = next((numbers[alias] for alias in aliases if alias in numbers), len(numbers) + 2)
            numbers |= dict.fromkeys(aliases, number)
            cell["port_directions"][port], cell["connections"][port] = way, [number, "0"]
            for alias in aliases:
                names[alias] = dict(hide_name=int(alias.startswith("_")), bits=[number])
        cells[name] = cell
    return parse({"modules": {TOP: dict(cells=cells, netnames=names)}}, TOP)
