"""Builds of converted blocks: convert, hand the Verilog to a simulator, compile; nothing is done twice.

A build of Verilator shows the ports of its top, and of the blocks inside those signals that are asked for: every signal
that can be seen from outside is one that the optimiser must leave alone, and all of them cost most of the speed.
"""

import fcntl
import hashlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import GENERATED
from llama2_myhdl.hdl.hierarchy import ModuleFile
from llama2_myhdl.hdl.names import short_hash
from llama2_myhdl.hdl.ports import bind, port_dict
from llama2_myhdl.hdl.progress import Progress, silent
from llama2_myhdl.rtl.verilog import write_verilog
from llama2_myhdl.sim import compiler
from llama2_myhdl.sim.counts import counts_folder
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.sim.sources import digest_of_sources, signature
from llama2_myhdl.sim.through import Through, of_environment
from llama2_myhdl.sim.verilator import add_to_path

TIMESCALE = ("1ns", "1ps")
ARGUMENTS = {
    "icarus": ["-Wall", "-Wno-timescale"],
    # registers start with random values, so a forgotten reset shows; MyHDL's expressions are wider than their targets
    "verilator": ["-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC", "-Wno-PROCASSINIT",
                  "--x-initial", "unique", "--x-assign", "unique"],
}
# registers start at zero: a reset of random ones would change bits that no test has reached
COVERAGE_ARGUMENTS = ["--coverage-line", "--coverage-expr", "--coverage-toggle", "--x-initial", "0"]
FILE_BYTES = 30_000  # Verilator's measure of the C++ files it writes: some for each core, few headers to read

Shown = Mapping[str, Sequence[str]]  # signals by the block that has them
NOTHING: Shown = MappingProxyType({})
EVERYTHING: Shown = MappingProxyType({"*": ("*",)})  # in a folder of its own, as it is slow


@dataclass(frozen=True)
class Build:
    """A block in a simulator. top: its module; folder: where everything is; file: the program or library."""

    sim: str
    top: str
    folder: Path
    file: Path
    extras: compiler.Extras


def waves_wanted() -> bool:
    """Whether the environment asks for waves."""
    return os.environ.get("WAVES", "0") not in ("", "0")


def _extras(sim: str, library: bool, through: Through | None) -> compiler.Extras:
    """What the environment asks for, of what there is for a build."""
    coverage = sim == "verilator" and counts_folder() is not None and through is None
    return compiler.Extras(waves_wanted() and not library, coverage)


def variant(block, arguments) -> str:
    """Folder name of one build: stands for the parameters and port types, the same in every run."""
    return short_hash(signature(block, arguments))


def _known(stamp: Path) -> dict:
    """What a stamp says; nothing when there is none, or none that can be read."""
    try:
        known = json.loads(stamp.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        known = None
    if not isinstance(known, dict):
        _damaged(stamp)
        return {}
    return known


def _damaged(file: Path) -> None:
    print(f"{file}: damaged, is built anew", file=sys.stderr)


def _sha(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _is_whole(file: Path, sha: str) -> bool:
    return file.exists() and _sha(file) == sha


def _converted(block, arguments, folder: Path, say: Progress) -> tuple[list[ModuleFile], str]:
    """The Verilog and its digest, converted when a source that it was made from has changed, or a file of it."""
    stamp, wanted = folder / "conversion", digest_of_sources(block, arguments)
    known = _known(stamp)
    if known.get("sources") == wanted:
        modules = [ModuleFile(name, folder / "verilog" / f"{name}.v", origin) for name, origin, _ in known["modules"]]
        damaged = [m.file for m, (*_, sha) in zip(modules, known["modules"]) if not _is_whole(m.file, sha)]
        if not damaged:
            return modules, repr(known["modules"])
        _damaged(damaged[0])
    say("convert to Verilog", 0, 1)
    modules = write_verilog(block, folder / "verilog", progress=say, **arguments)
    entry = dict(sources=wanted, modules=[[m.name, m.block, _sha(m.file)] for m in modules])
    write_whole(stamp, [json.dumps(entry).encode()])
    return modules, repr(entry["modules"])


def _passed(through: Through, modules: list[ModuleFile], verilog: str, folder: Path, say: Progress):
    """What the step makes of the Verilog, and its digest; made when the Verilog or the step has changed."""
    folder.mkdir(exist_ok=True)
    stamp, wanted = folder / "stamp", hashlib.sha256(repr([verilog, through.identity]).encode()).hexdigest()
    known = _known(stamp)
    if known.get("sources") == wanted:
        made = [ModuleFile(name, folder / file, block) for name, file, block, _ in known["modules"]]
        damaged = [module.file for module, (*_, sha) in zip(made, known["modules"]) if not _is_whole(module.file, sha)]
        if not damaged:
            return made, repr(known["modules"])
        _damaged(damaged[0])
    stamp.unlink(missing_ok=True)
    say(through.name, 0, 1)
    made = through(modules, folder)
    entry = dict(sources=wanted, modules=[[m.name, m.file.name, m.block, _sha(m.file)] for m in made])
    write_whole(stamp, [json.dumps(entry).encode()])
    return made, repr(entry["modules"])


def _control(modules: list[ModuleFile], ports: Sequence[str], shown: Shown) -> str:
    """Verilator's control file: what can be seen from outside."""
    top = modules[-1].name
    lines = [f'public_flat_rw -module "{top}" -var "{port}"' for port in ports]
    if shown is EVERYTHING:
        lines.append('public_flat_rd -module "*" -var "*"')
    for module in (module for module in modules if module.block in shown):
        names = set(re.findall(r"\w+", module.file.read_text()))
        signals = [signal for signal in shown[module.block] if signal in names]
        lines += [f'public_flat_rd -module "{module.name}" -var "{signal}"' for signal in signals]
    return "\n".join(["`verilator_config", *lines, ""])


def _verilate(modules: list[ModuleFile], control: Path, folder: Path, arguments: list[str], say: Progress) -> None:
    say("translate to C++", 0, 1)
    for old in folder.glob(f"{compiler.PREFIX}*"):
        old.unlink()
    command = ["verilator", "--cc", "--vpi", "-Mdir", str(folder), "--prefix", compiler.PREFIX]
    command += ["--top-module", modules[-1].name, "--timescale", "/".join(TIMESCALE)]
    command += ["--output-split", str(FILE_BYTES), *arguments, str(control), *(str(m.file) for m in modules)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    log = folder / "build.log"
    log.write_text(done.stdout)
    if done.returncode:
        words = next((line for line in done.stdout.splitlines() if line.startswith("%")), "no message")
        raise SimulationError(f"verilator failed ({done.returncode}), see {log}: {words}")


def _in_verilator(modules, ports, shown, folder, arguments, library, extras, sources, say) -> Path:
    """The program or library of a Verilator build."""
    add_to_path()
    stamp, control = folder / "stamp", folder / "shown.vlt"
    known = _known(stamp)
    name = compiler.LIBRARY if library else modules[-1].name
    if known.get("sources") == sources and name in known["products"]:
        file = folder / name
        if _is_whole(file, known["products"][name]):
            return file
        _damaged(file)
        known = {}
    if known.get("sources") != sources:
        stamp.unlink(missing_ok=True)
        write_whole(control, [_control(modules, ports, shown).encode()])
        _verilate(modules, control, folder, arguments, say)
        compiler.compile_block(folder, extras, say)
        known = dict(sources=sources, products={})
    link = compiler.link_library if library else compiler.link_program
    file = link(folder, name, extras, say)
    known["products"][name] = _sha(file)
    write_whole(stamp, [json.dumps(known).encode()])
    return file


def _in_icarus(modules, folder, arguments, waves, sources, say) -> Path:
    """The compiled file of an Icarus build."""
    from cocotb_tools.runner import get_runner  # imports cocotb and pytest, which the compiled simulation does without

    stamp, file = folder / "stamp", folder / "sim.vvp"
    known = _known(stamp)
    if known.get("sources") == sources:
        if _is_whole(file, known["product"]):
            return file
        _damaged(file)
    stamp.unlink(missing_ok=True)
    say("compile for Icarus", 0, 1)
    get_runner("icarus").build(sources=[module.file for module in modules], hdl_toplevel=modules[-1].name, always=True,
                               build_dir=folder, build_args=arguments, timescale=TIMESCALE, waves=waves,
                               log_file=folder / "build.log")  # fmt: skip
    write_whole(stamp, [json.dumps(dict(sources=sources, product=_sha(file))).encode()])
    return file


@contextmanager
def _own(block, arguments, name=None) -> Iterator[Path]:
    """The folder of a block with these arguments, for one process at a time."""
    folder = GENERATED / block.func.__name__ / (name or variant(block, arguments))
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def converted(block, arguments, say: Progress = silent) -> list[ModuleFile]:
    """The Verilog of a block that all its builds are made of; children before parents."""
    with _own(block, arguments) as folder:
        return _converted(block, arguments, folder, say)[0]


def block_of(file: Path) -> str:
    """Name of the block that a file of a build's Verilog was made of."""
    known = _known(file.parents[1] / "conversion")
    found = {name: origin for name, origin, _ in known.get("modules", ())}
    if file.stem not in found:
        raise FileNotFoundError(f"{file}: of no build that is known here")
    return found[file.stem]


def build(
    block, arguments, sim, name=None, build_args=(), shown: Shown = NOTHING, library=False, say: Progress = silent,
    through: Through | None = None,
) -> Build:
    """Convert and build a block; does nothing that is done already.

    block: an @hblock; arguments: its ports and parameters by name; sim: "icarus" or "verilator"; name: folder of the
    build, else from the arguments; build_args: more arguments for the simulator's compiler (give them a name of their
    own); shown: signals inside that tests look at, by block; library: for `sim.native`, else a program for cocotb; say:
    told what is being done, the files done and all files; through: a step that the Verilog passes before, else the one
    that the environment names, see `sim/through.py`.
    """
    through = through or of_environment()
    extras = _extras(sim, library, through)
    ports = list(port_dict(block.func, bind(block.func, (), arguments)))
    options = [*ARGUMENTS[sim], *build_args] + (["--trace-fst"] if extras.waves and sim == "verilator" else [])
    options += COVERAGE_ARGUMENTS if extras.coverage else []
    options += through.arguments(sim) if through else []
    with _own(block, arguments, name) as parent:
        kinds = {"waves": extras.waves, "coverage": extras.coverage, "everything": shown is EVERYTHING}
        kinds |= {through and through.name: through is not None}
        folder = parent / "-".join([sim, *(kind for kind, wanted in kinds.items() if wanted)])
        folder.mkdir(exist_ok=True)
        modules, verilog = _converted(block, arguments, parent, say)
        if through:
            modules, verilog = _passed(through, modules, verilog, parent / through.name, say)
        tools = [importlib.metadata.version("cocotb"), sys.executable, compiler.identity(extras.waves)]
        made_of = [*tools, options, sorted(shown.items()), verilog]
        digest = hashlib.sha256(repr(made_of).encode()).hexdigest()
        if sim == "icarus":
            file = _in_icarus(modules, folder, options, extras.waves, digest, say)
        else:
            file = _in_verilator(modules, ports, shown, folder, options, library, extras, digest, say)
    return Build(sim, modules[-1].name, folder, file, extras)
