"""A block's Verilog as a netlist of Yosys: a step of `sim.build.build`, whose simulation then runs the netlist.

    build(argmax, ports(cfg), "icarus", through=Netlist())

Three kinds of netlist, all of one flat module:

* GATES: `synth -flatten`, down to single gates and flip-flops of one bit. Multipliers are gates, memories flip-flops.
* HARD: the same, but multipliers and memories stay what they are in the Verilog, as a device has them ready-made: with
  them a whole decoder is synthesized and simulated in minutes.
* ECP5: what `make synth` maps: look-up tables, carry chains, wide multiplexers, flip-flops and LUT RAM of an ECP5, each
  as the vendor's cell that Yosys' own library describes. The library has no models of block RAM and multipliers, so
  these are made of the others.

Nothing is timed: a netlist shows that synthesis understood the Verilog as simulation does.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.hdl.hierarchy import ModuleFile
from llama2_myhdl.syn import targets, tools

GATES, HARD, ECP5 = "gates", "hard", "ecp5"

# Up to `fine` memories are memories and operators are operators; `techmap` and `abc` make gates of all that it knows.
_COARSE = "synth -flatten -top {top} -run begin:fine"
_FINE = "opt -fast -full; techmap; opt -fast; abc; opt -fast; opt_clean"
_CELLS = "synth_ecp5 -no-rw-check -nodsp -nobram -top {top} -run"
_MAPPED = "; ".join(targets.ECP5.mapping(_CELLS, "begin"))
_KEPT = "hard_multiplier"  # a type that no pass knows
# Nets of one bit: a simulator that takes a bus as one would see loops where each bit has its own way.
_WRITE = "splitnets; opt_clean -purge; write_verilog -noattr -nohex netlist.v"
SCRIPTS = {
    GATES: f"synth -flatten -noalumacc -top {{top}}; {_WRITE}",
    HARD: f"{_COARSE} -noalumacc; chtype -set {_KEPT} t:$mul; {_FINE}; chtype -set $mul t:{_KEPT}; {_WRITE}",
    ECP5: f"{_MAPPED}; write_verilog -noattr cells.v; "
    "design -reset; read_verilog cells.v; read_verilog -overwrite +/ecp5/cells_sim.v; "
    f"hierarchy -check -top {{top}}; proc; flatten; opt_expr; opt_clean; {_WRITE}",
}
_INSTANCES = re.compile(r"^( *assign \S+ = )(.*[&|^?].*);$", re.M)  # a gate each


@dataclass(frozen=True)
class Netlist:
    """kind: GATES, HARD or ECP5; fault: number of the gate whose output is inverted, to show that a test sees it."""

    kind: str = GATES
    fault: int | None = None

    @property
    def name(self) -> str:
        """Of the folder of builds of it."""
        return self.kind if self.fault is None else f"{self.kind}-fault{self.fault}"

    @property
    def identity(self) -> str:
        """Changes with whatever may make another netlist of the same Verilog."""
        return repr((self, SCRIPTS[self.kind], tools.version("yosys")))

    def arguments(self, sim: str) -> list[str]:
        """What a simulator's compiler is told of it."""
        # constants that nobody needs are x, and a flip-flop's enable hides that its two sides never meet
        return ["-Wno-fatal", "-Wno-lint"] if sim == "verilator" else ["-Wno-all"]

    def __call__(self, modules: list[ModuleFile], folder: Path) -> list[ModuleFile]:
        """Synthesize in `folder`; the netlist's only module is the top with its ports."""
        names = [module.file.name for module in modules]
        for module in modules:
            copyfile(module.file, folder / module.file.name)
        top = modules[-1]
        script = f"read_verilog {' '.join(names)}; {SCRIPTS[self.kind].replace('{top}', top.name)}"
        tools.run([tools.yowasp("yosys"), "-q", "-l", "yosys.log", "-p", script], folder, "yosys.out")
        file = folder / "netlist.v"
        if self.fault is not None:
            write_whole(file, [inverted(file.read_text(), self.fault).encode()])
        return [ModuleFile(top.name, file, top.block)]


def inverted(netlist: str, number: int) -> str:
    """The netlist with the output of one of its gates inverted: the fault that a test must see."""
    gates = list(_INSTANCES.finditer(netlist))
    gate = gates[number % len(gates)]
    return f"{netlist[: gate.start()]}{gate[1]}~({gate[2]});{netlist[gate.end() :]}"
