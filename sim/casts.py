"""The library of `casts.cpp`, for vvp, Icarus' simulator: it casts for every operand that it loads, which without the
library takes 40% of a run."""

import functools
import hashlib
import os
import shutil
import sys
from pathlib import Path

from llama2_myhdl.base.folders import GENERATED
from llama2_myhdl.sim.compiler import make_library

CASTS = Path(__file__).with_name("casts.cpp")
COMMAND = ["g++", "-std=gnu++17", "-O2", "-fPIC", "-shared"]


def environment() -> dict[str, str]:
    """Variables for a run of vvp; the library is compiled when it is not there yet."""
    loaded = [_library(), os.environ.get("LD_PRELOAD")]
    return {"LD_PRELOAD": " ".join(filter(None, loaded))} if loaded[0] else {}


@functools.cache
def _library() -> str | None:
    """Its path; None where there is no compiler, no LD_PRELOAD, or a path that this variable does not take."""
    folder = GENERATED / "casts"
    if not sys.platform.startswith("linux") or not shutil.which("g++") or set(str(folder)) & set(": "):
        return None
    digest = hashlib.sha256(CASTS.read_bytes() + repr(COMMAND).encode()).hexdigest()[:16]
    library = folder / f"casts-{digest}.so"
    if not library.exists():
        make_library(folder, library.name, [*COMMAND, CASTS, "-ldl"])
    return str(library)
