"""Activity of a block: how often the bits of its signals change, by unit.

A toggle is one bit of one net of the RTL that stands otherwise just before a rising edge of the clock than it did just
before the edge ahead of it; what changes more than once within a cycle counts as it settles. Nets are what registers,
memories and logic drive, each one once: other names of them (ports that lead to them, slices, buses that are put
together) do not count, nor do clocks and the words of memories, lists of more than 1 KiB.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llama2_myhdl.hdl.hierarchy import ModuleFile
from llama2_myhdl.sim.native import NativeSimulator

CLOCK = "clk"
STATION = re.compile(r"u_(engine_\d+|head)")
RAMS = ("ram",)  # blocks that are a memory and nothing else
KINDS = ("registers", "ram ports", "operands", "all")

_NAME = r"(\w+)(?:\[[^\]]*\])*"
_PORT = re.compile(r"^ +(input|output) +(?:wire|reg)\b[^\n,]*?(\w+),?$", re.M)
_CLOCKED = re.compile(rf"^\s*(?:if \(\w+\) |always @\(posedge \w+\) )?{_NAME} <= ", re.M)
_ASSIGN = re.compile(rf"^assign {_NAME} = (.*);$", re.M)
_WIRES = re.compile(r"[\w\s,{}()']*")  # names side by side, once these are gone:
_SELECTION = re.compile(r"\[[^\[\]]*\]|\$signed|\$unsigned")
_FACTORS = re.compile(rf"{_NAME} \* {_NAME}")
_INSTANCE = re.compile(r"^(\w+) (?:#\([^;]*?\) )?\w+ \(\n((?: +\.\w+\([^\n]*\),?\n)+)\);$", re.M)
_CONNECTION = re.compile(r"\.(\w+)\(([^\n]*)\)")
_WORD = re.compile(r"\b[a-zA-Z_]\w*")

Net = tuple[str, str, str, int]  # module, instance, name, toggles


@dataclass(frozen=True)
class Signals:
    """Names of a module: registers, factors of products, other names of nets; the ports of a RAM count though."""

    registers: frozenset[str]
    operands: frozenset[str]
    aliases: frozenset[str]
    ports: frozenset[str]  # of a module that is a memory, else none

    def kinds(self, name: str) -> Iterator[str]:
        """Those of KINDS that a signal is of."""
        if name in self.operands:
            yield "operands"
        if name in self.ports:
            yield "ram ports"
        if name not in self.aliases:
            yield "all"
            if name in self.registers:
                yield "registers"


def wiring(expression: str) -> bool:
    """Whether an expression only gives other names to nets."""
    before, text = None, expression
    while before != text:
        before, text = text, _SELECTION.sub("", text)
    return bool(_WIRES.fullmatch(text))


def signals(modules: list[ModuleFile]) -> dict[str, Signals]:
    """What the text of each module, children before parents, does with its names."""
    ports: dict[str, dict[str, str]] = {}
    found = {}
    for module in modules:
        text = module.file.read_text()
        own = ports[module.name] = {name: way for way, name in _PORT.findall(text)}
        aliases = {name for name, expression in _ASSIGN.findall(text) if wiring(expression)}
        for child, connections in _INSTANCE.findall(text):
            known = ports.get(child, {})
            driven = [nets for port, nets in _CONNECTION.findall(connections) if known.get(port) == "output"]
            aliases |= {net for nets in driven for net in _WORD.findall(_SELECTION.sub("", nets))}
        if module is not modules[-1]:
            aliases |= {name for name, way in own.items() if way == "input"}
        registers, operands = _CLOCKED.findall(text), (name for pair in _FACTORS.findall(text) for name in pair)
        memory = own if module.block in RAMS else ()
        found[module.name] = Signals(*map(frozenset, (registers, operands, aliases, memory)))
    return found


def unit(path: str) -> str:
    """What of the decoder an instance belongs to: a unit of a station, else what stands beside the stations."""
    instances = path.split(".")[1:]
    if not instances:
        return "top"
    name = instances[1] if STATION.fullmatch(instances[0]) and len(instances) > 1 else instances[0]
    return name.removeprefix("u_")


class Activity:
    """Toggles of a running block. modules: of its conversion, the top last."""

    def __init__(self, sim: NativeSimulator, modules: list[ModuleFile]):
        self._sim, self._signals = sim, signals(modules)

    def start(self) -> None:
        """Count from the next cycle on."""
        self._sim.watch(True)
        self._sim.toggles()

    def take(self) -> list[Net]:
        """Toggles of each signal, whatever its kind, since `start` or the last call."""
        return [net for net in self._sim.toggles() if net[0] in self._signals and net[2] != CLOCK]

    def stop(self) -> None:
        """Count no more."""
        self._sim.watch(False)

    def kinds(self, net: Net) -> Iterator[str]:
        """Those of KINDS that it is of."""
        return self._signals[net[0]].kinds(net[2])

    def table(self, nets: Iterable[Net]) -> dict[str, dict[str, int]]:
        """Toggles by unit and kind."""
        found: dict[str, Counter] = {}
        for net in nets:
            row = found.setdefault(unit(net[1]), Counter({kind: 0 for kind in KINDS}))
            for kind in self.kinds(net):
                row[kind] += net[3]
        return {name: dict(row) for name, row in found.items()}
