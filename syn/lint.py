"""Lint of the converted Verilog of every registered block: `python -m llama2_myhdl.syn.lint [BLOCK ...]`.

Three readers must accept each one: Verilator (-Wall, no warning but those waived in syn/waivers.vlt, one line each with
its reason), Icarus (-Wall, no warning either) and Yosys (hierarchy resolved, `check -assert`). Exit status 1 when any
of them objects.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

from llama2_myhdl.sim.verilator import install
from llama2_myhdl.syn import blocks, tools

ROOT = Path("sim_build/lint")
WAIVERS = Path(__file__).with_name("waivers.vlt")


def verilator(folder: Path, sources: list[str], top: str) -> None:
    """Any warning that is not waived is an error."""
    copyfile(WAIVERS, folder / WAIVERS.name)
    command = [str(install() / "verilator"), "--lint-only", "-Wall", "--top-module", top, WAIVERS.name, *sources]
    tools.run(command, folder, "verilator.log")


def icarus(folder: Path, sources: list[str], top: str) -> None:
    """Icarus elaborates without a word."""
    # `always @*` on a memory waits for all of its words, as it should
    warnings = ["-Wall", "-Wno-sensitivity-entire-array"]
    said = tools.run(["iverilog", *warnings, "-g2005", "-t", "null", "-s", top, *sources], folder, "icarus.log")
    if said.strip():
        raise tools.ToolError(f"iverilog warns, see {folder / 'icarus.log'}: {said.strip().splitlines()[0]}")


def yosys(folder: Path, sources: list[str], top: str) -> None:
    """Yosys resolves the hierarchy and finds no undriven, multiply driven or looping net."""
    script = f"read_verilog {' '.join(sources)}; hierarchy -check -top {top}; proc; check -assert"
    tools.run([tools.yowasp("yosys"), "-q", "-l", "yosys.log", "-p", script], folder, "yosys.out")


READERS: tuple[Callable[[Path, list[str], str], None], ...] = (verilator, icarus, yosys)


def convert(name: str, folder: Path) -> list[str]:
    """Convert in a process of its own, as MyHDL keeps names in process-wide tables; file names, the top's last."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "llama2_myhdl.syn.blocks", name, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise tools.ToolError(f"conversion failed: {(done.stderr.strip() or 'no message').splitlines()[-1]}")
    return [Path(line).name for line in done.stdout.split()]


def lint(name: str) -> list[str]:
    """Faults of one block, one line each; empty when all readers accept it."""
    folder = ROOT / name
    try:
        sources = convert(name, folder)
    except tools.ToolError as error:
        return [f"{name}: {error}"]
    faults = []
    for reader in READERS:
        try:
            reader(folder, sources, Path(sources[-1]).stem)
        except tools.ToolError as error:
            faults.append(f"{name}: {error}")
    return faults


def main(argv: list[str]) -> int:
    unknown = [name for name in argv if name not in blocks.UNITS]
    if unknown:
        print(f"unknown BLOCK {unknown[0]!r}; known: {', '.join(sorted(blocks.UNITS))}", file=sys.stderr)
        return 2
    names = argv or sorted(blocks.UNITS)
    faults = []
    for name in names:
        found = lint(name)
        print(f"{name:16} {'clean' if not found else f'{len(found)} reader(s) object'}", flush=True)
        faults += found
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(names)} blocks, {len(faults)} faults")
    return 1 if faults or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
