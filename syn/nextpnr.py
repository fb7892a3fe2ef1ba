"""nextpnr: a mapped netlist placed and routed on an ECP5-85F, speed grade 6; kept until netlist or options change.

What one run leaves in its folder, for each seed: `routed-SEED.json`, which is nextpnr's report and the place of every
cell, and nextpnr's log.
"""

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.hdl.progress import Progress, silent
from llama2_myhdl.syn import absorb, tools, wrapper
from llama2_myhdl.syn.yosys import Mapped

PART = "ECP5-85F"
PACKED = "packed.json"  # the mapped netlist with registers in its hard blocks
_PACKER = sha256(Path(absorb.__file__).read_bytes()).hexdigest()[:16]  # changes with what moves them there
DEVICE = ("--85k", "--package", "CABGA381", "--speed", "6")
# The placer "static" leaves a fifth less wire than the default one, so that routing takes a third of the time. router2
# is faster, but makes detours of more than 10 ns around the multipliers and block RAMs of a column. A missed target is
# a figure to report, not a fault of the tool.
ROUTING = ("--placer", "static", "--router", "router1", "--timing-allow-fail")
ANYWHERE = "--lpf-allow-unconstrained"  # where the wrapper's pins may lie
_BEL = re.compile(r"X(\d+)/Y(\d+)/")
_ARCS = re.compile(r"Routing (\d+) arcs")
_LEFT = re.compile(r"^Info:\s+\d+ \|.*\|\s*(\d+)\|")
_OVERLAP = re.compile(r"overlap: COMB=([\d.]+)%")  # of the cells, which falls to some percent


@dataclass(frozen=True)
class Step:
    """Of a critical path: kind: "clk-to-q", "logic", "routing" or "setup"; from `start` to cell `end`."""

    kind: str
    ns: float
    start: str
    end: str
    net: str


@dataclass(frozen=True)
class Routed:
    """used: {resource: (used, there are)}; path: the critical one; places: {cell: (type, x, y)}."""

    seed: int
    target_mhz: float
    fmax_mhz: float
    used: dict[str, tuple[int, int]]
    path: tuple[Step, ...]
    places: dict[str, tuple[str, int, int]]


def original(cell: str, known) -> str | None:
    """The cell of the mapped netlist that one of nextpnr's is, or is a part of; None for what nextpnr has added.

    A gate that was a register's reset (syn/absorb.py) counts as the register.
    """
    cell = cell.removesuffix(absorb.GATE)
    while cell not in known:
        cell, dollar, _ = cell.rpartition("$")
        if not dollar:
            return None
    return cell


class Stage:
    """Tells from nextpnr's log what it is doing."""

    def __init__(self, say: Progress):
        self._say, self._arcs = say, 0

    def line(self, text: str) -> None:
        if "Packing" in text:
            self._say("pack", 0, 1)
        elif found := _ARCS.search(text):
            self._arcs = int(found[1])
            self._say("route", 0, self._arcs)
        elif self._arcs and (found := _LEFT.match(text)):
            self._say("route", max(self._arcs - int(found[1]), 0), self._arcs)
        elif found := _OVERLAP.search(text):
            self._say("place", round(100 - float(found[1])), 100)


def report(document: dict) -> tuple[float, tuple[Step, ...], dict[str, tuple[int, int]]]:
    """(MHz, critical path, resources used) of nextpnr's report; ToolError when the clock is not in it."""
    clocks = [name for name in document["fmax"] if wrapper.CLOCK in name]
    if len(clocks) != 1:
        raise tools.ToolError(f"nextpnr: one clock must be routed, are {len(clocks)}")
    paths = [p for p in document["critical_paths"] if p["from"] == p["to"] and clocks[0] in p["from"]]
    steps = tuple(
        Step(s["type"], s["delay"], s["from"]["cell"], s["to"]["cell"], s.get("net", "")) for s in paths[0]["path"]
    )
    used = {name: (entry["used"], entry["available"]) for name, entry in document["utilization"].items()}
    return document["fmax"][clocks[0]]["achieved"], steps, used


def places(document: dict) -> dict[str, tuple[str, int, int]]:
    """{cell: (type, column, row)} of the netlist that nextpnr writes, which is one module of a name of its own."""
    found = {}
    (module,) = document["modules"].values()
    for name, cell in module["cells"].items():
        if at := _BEL.match(cell["attributes"].get("NEXTPNR_BEL", "")):
            found[name] = (cell["type"], int(at[1]), int(at[2]))
    return found


def route(mapped: Mapped, freq: float, seed: int, say: Progress = silent) -> Routed:
    """Place and route, unless it is done already. Raises ToolError."""
    folder, name = mapped.folder, f"routed-{seed}"
    result = folder / f"{name}.json"
    options = [*DEVICE, ANYWHERE, *ROUTING, "--freq", f"{freq:g}", "--seed", str(seed)]
    digest = f"{mapped.digest} {_PACKER} {tools.version('nextpnr-ecp5')} {options}"
    known = _known(result)
    if known.get("digest") != digest:
        files = {what: f"{name}.{what}.json" for what in ("report", "write")}
        absorb.absorb_file(mapped.netlist, folder / PACKED)
        command = [tools.yowasp("nextpnr-ecp5"), *options, "--json", PACKED, "-q", "-l", f"{name}.log"]
        command += [word for what, file in files.items() for word in (f"--{what}", file)]
        say("start nextpnr", 0, 1)
        tools.run(command, folder, f"{name}.out", f"{name}.log", Stage(say).line)
        fmax, steps, used = report(json.loads((folder / files["report"]).read_text()))
        placed = places(json.loads((folder / files["write"]).read_text()))
        (folder / files["write"]).unlink()  # it is large, and the places are all that is wanted of it
        known = dict(digest=digest, fmax=fmax, used=used, path=[vars(step) for step in steps], places=placed)
        write_whole(result, [json.dumps(known).encode()])
    return Routed(
        seed,
        freq,
        round(known["fmax"], 1),
        {name: tuple(entry) for name, entry in known["used"].items()},
        tuple(Step(**step) for step in known["path"]),
        {name: tuple(place) for name, place in known["places"].items()},
    )


def _known(result: Path) -> dict:
    """What an earlier run left; nothing when there is none, or none that can be read."""
    try:
        return json.loads(result.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
