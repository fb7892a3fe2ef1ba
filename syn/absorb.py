"""Registers beside multipliers and block RAMs move into them: Yosys leaves those of an ECP5's hard blocks unused.

    register ─┐                              ┌──────────────┐
              ├─> MULT18X18D ─> register     │reg ─> * ─> reg│
    register ─┘                       becomes└──────────────┘     and DP16KD ─> register the same

`absorb` changes Yosys's JSON netlist in place, before nextpnr reads it. A register goes into a hard block when all bits
of the block's port that are not constant come from (or go to) registers of one clock and one enable. One that something
else reads too stays as well. Where Yosys made a reset of a bit's own of its data, before a multiplier, it becomes a
gate again. The netlist computes the same in every cycle.
Source: Lattice TN1264 and TN1267, memory and sysDSP usage guides of the ECP5.
"""

import json
from collections import defaultdict
from pathlib import Path

MULTIPLIER, MEMORY, REGISTER = "MULT18X18D", "DP16KD", "TRELLIS_FF"
_FACTORS = {port: [f"{port}{k}" for k in range(18)] for port in "AB"}
_PRODUCT = [f"P{k}" for k in range(36)]
_WORDS = {port: [f"DO{port}{k}" for k in range(18)] for port in "AB"}
_AND_NOT = f"{0x2222:016b}"  # of a look-up table: A and not B
_DEEPEST = 4  # look-up tables in front of a register that may move away from them
_LEVELS = {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 1, "PFUMX": 1, "L6MUX21": 1}  # in look-up tables
_INPUTS = {"LUT4": "ABCD", "CCU2C": ("A0", "B0", "C0", "D0", "A1", "B1", "C1", "D1", "CIN")}
GATE = "_clear"  # behind a register's name: the gate that its reset has become
WIDE = 36  # bits of a word that takes both halves of a block RAM


class _Module:
    """A flat module's cells, and what drives and reads each net."""

    def __init__(self, module: dict):
        self.cells = module["cells"]
        self.driver, self.readers = {}, defaultdict(list)
        self.gates = {}  # by the register whose reset they are
        self.kept = {bit for port in module["ports"].values() for bit in port["bits"]}  # read from outside
        for name, cell in self.cells.items():
            for port, bits in cell["connections"].items():
                for bit in bits:
                    if cell["port_directions"][port] == "output":
                        self.driver[bit] = name, port
                    else:
                        self.readers[bit].append((name, port))
        self.fresh = 1 + max(bit for bit in (*self.driver, *self.readers) if not isinstance(bit, str))

    def bits(self, cell: dict, ports: list[str]) -> list:
        """The nets at these ports of one bit, those that are connected."""
        return [bit for port in ports for bit in cell["connections"].get(port, [])]

    def register(self, name: str, cleared: bool = False) -> tuple | None:
        """(clock, enable) of a register without a reset, or, if `cleared`, with one and no enable; else None."""
        cell = self.cells[name]
        if cell["type"] != REGISTER or cell["parameters"].get("CLKMUX", "CLK") != "CLK":
            return None
        nets = {port: (bits or ["0"])[0] for port, bits in cell["connections"].items()}
        enabled = cell["parameters"].get("CEMUX", "CE").strip()
        if enabled not in ("1", "CE"):
            return None
        if nets.get("LSR", "0") != "0":
            plain = cell["parameters"].get("REGSET") == "RESET" and cell["parameters"].get("LSRMUX", "LSR") == "LSR"
            if not (cleared and plain and enabled == "1" and cell["parameters"].get("SRMODE") == "LSR_OVER_CE"):
                return None
        return nets["CLK"], "1" if enabled == "1" else nets["CE"]

    def levels(self, bit, limit: int) -> int:
        """Look-up tables in front of a net, counted to `limit` + 1."""
        if bit not in self.driver or limit < 0:
            return 0
        cell = self.cells[self.driver[bit][0]]
        if cell["type"] not in _LEVELS:
            return 0
        mine = _LEVELS[cell["type"]]
        ports = _INPUTS.get(cell["type"], [p for p, way in cell["port_directions"].items() if way == "input"])
        return mine + max((self.levels(b, limit - mine) for b in self.bits(cell, ports)), default=0)

    def in_front(self, bits: list) -> tuple | None:
        """(control, {net: its register}) when registers of one control stand in front of all nets."""
        found, controls = {}, set()
        for bit in bits:
            if isinstance(bit, str):
                continue
            name, port = self.driver.get(bit, (None, None))
            control = self.register(name, cleared=True) if name else None
            if control is None or self.levels(self.cells[name]["connections"]["DI"][0], _DEEPEST) > _DEEPEST:
                return None
            found[bit] = name
            controls.add(control)
        return (controls.pop(), found) if len(controls) == 1 else None

    def before(self, name: str):
        """The net that a register takes over; with its reset as a gate in front."""
        connections = self.cells[name]["connections"]
        (data,), (reset,) = connections["DI"], connections.get("LSR", ["0"])
        if isinstance(reset, str):
            return data
        if name not in self.gates:
            self.gates[name] = gated = self.fresh
            self.fresh += 1
            gate = f"{name}{GATE}"
            self.cells[gate] = dict(
                type="LUT4",
                parameters={"INIT": _AND_NOT},
                attributes={},
                port_directions=dict.fromkeys("ABCD", "input") | {"Z": "output"},
                connections={"A": [data], "B": [reset], "C": ["0"], "D": ["0"], "Z": [gated]},
                hide_name=0,
            )
            self.driver[gated] = gate, "Z"
            self.readers[data].append((gate, "A"))
            self.readers[reset].append((gate, "B"))
        return self.gates[name]

    def behind(self, bits: list) -> tuple | None:
        """(control, {net: its register}) when every net goes to a register of one control and nowhere else."""
        found, controls = {}, set()
        for bit in bits:
            readers = self.readers.get(bit, [])
            if bit in self.kept or len(readers) > 1:
                return None
            if not readers:
                continue
            name, port = readers[0]
            control = self.register(name)
            if control is None or port != "DI":
                return None
            found[bit] = name
            controls.add(control)
        return (controls.pop(), found) if len(controls) == 1 else None

    def remove(self, name: str) -> None:
        """A register that nothing reads any more."""
        for port, bits in self.cells[name]["connections"].items():
            for bit in bits:
                if self.cells[name]["port_directions"][port] == "output":
                    self.driver.pop(bit, None)
                elif (name, port) in self.readers[bit]:
                    self.readers[bit].remove((name, port))
        del self.cells[name]

    def move_input(self, name: str, found: dict, ports: list[str]) -> None:
        """Connect the nets before the registers to the ports of cell `name`."""
        connections = self.cells[name]["connections"]
        for port in ports:
            for k, bit in enumerate(connections.get(port, [])):
                if bit in found:
                    self.readers[bit].remove((name, port))
                    connections[port][k] = data = self.before(found[bit])
                    self.readers[data].append((name, port))
        for bit, register in found.items():
            if not self.readers[bit] and bit not in self.kept:
                self.remove(register)

    def move_output(self, name: str, found: dict, ports: list[str]) -> None:
        """Let the ports of cell `name` drive what the registers drove."""
        connections = self.cells[name]["connections"]
        for port in ports:
            for k, bit in enumerate(connections.get(port, [])):
                if bit in found:
                    (after,) = self.cells[found[bit]]["connections"]["Q"]
                    self.remove(found[bit])
                    self.driver.pop(bit)
                    connections[port][k] = after
                    self.driver[after] = name, port

    def connect(self, name: str, port: str, bit) -> None:
        """Connect an input that the netlist leaves open, or drives by a constant."""
        cell = self.cells[name]
        cell["connections"][port] = [bit]
        cell["port_directions"][port] = "input"
        self.readers[bit].append((name, port))


def _multiplier(module: _Module, name: str) -> int:
    cell = module.cells[name]
    parameters = cell["parameters"]
    sides = {side: module.in_front(module.bits(cell, ports)) for side, ports in _FACTORS.items()}
    if not all(sides.values()) or len({control[0] for control, _ in sides.values()}) != 1:
        return _product(module, name)
    moved = 0
    ((clock, _), _) = sides["A"]
    for number, (side, ((_, enable), found)) in enumerate(sides.items()):
        module.move_input(name, found, _FACTORS[side])
        parameters |= {f"REG_INPUT{side}_CLK": "CLK0", f"REG_INPUT{side}_CE": f"CE{number}"}
        parameters[f"REG_INPUT{side}_RST"] = "RST0"
        module.connect(name, f"CE{number}", enable)
        moved += len(found)
    parameters |= {"GSR": "DISABLED"}
    module.connect(name, "CLK0", clock)
    module.connect(name, "RST0", "0")
    return moved


def _product(module: _Module, name: str) -> int:
    """The register behind a multiplier whose factors keep theirs outside."""
    found = module.behind(module.bits(module.cells[name], _PRODUCT))
    if found is None:
        return 0
    (clock, enable), registers = found
    module.move_output(name, registers, _PRODUCT)
    parameters = module.cells[name]["parameters"]
    parameters |= {"REG_OUTPUT_CLK": "CLK0", "REG_OUTPUT_CE": "CE0", "REG_OUTPUT_RST": "RST0", "GSR": "DISABLED"}
    for port, bit in (("CLK0", clock), ("CE0", enable), ("RST0", "0")):
        module.connect(name, port, bit)
    return len(registers)


def _memory(module: _Module, name: str) -> int:
    cell = module.cells[name]
    wide = int(cell["parameters"]["DATA_WIDTH_B"], 2) == WIDE
    ports = _WORDS["A"] + _WORDS["B"] if wide else _WORDS["B"]
    found = module.behind(module.bits(cell, ports))
    if found is None or found[0] != (cell["connections"]["CLKB"][0], "1"):
        return 0
    if not wide and any(module.readers.get(bit) for bit in module.bits(cell, _WORDS["A"])):
        return 0  # a second read port keeps its own timing
    module.move_output(name, found[1], ports)
    for side in "AB" if wide else "B":
        cell["parameters"][f"REGMODE_{side}"] = "OUTREG"
        module.connect(name, f"OCE{side}", "1")
    return len(found[1])


def absorb_file(source: Path, target: Path) -> None:
    """Write to `target` what `absorb` makes of the netlist of one flat module in `source`."""
    netlist = json.loads(source.read_text())
    (top,) = [module for module in netlist["modules"].values() if int(module["attributes"].get("top", "0"), 2)]
    absorb(top)
    target.write_text(json.dumps(netlist))


def absorb(module: dict) -> dict[str, int]:
    """Move what can be moved in a flat module of Yosys's JSON; how many registers each kind of block took."""
    flat = _Module(module)
    kinds = {MULTIPLIER: _multiplier, MEMORY: _memory}
    moved = dict.fromkeys(kinds, 0)
    for kind in (MEMORY, MULTIPLIER):  # a register between the two goes to the memory, which is the slower one
        for name in [name for name, cell in flat.cells.items() if cell["type"] == kind]:
            moved[kind] += kinds[kind](flat, name)
    return moved
