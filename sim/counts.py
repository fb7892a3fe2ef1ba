"""Where simulations leave their coverage counts: COVERAGE_COUNTS=folder in the environment has builds of
Verilator count what is executed and which bits change (COVERAGE alone is cocotb's own, of Python).

Each simulation leaves a file of its own, as Verilator writes it; `coverage/` reads them.
"""

import itertools
import os
from pathlib import Path

VARIABLE = "COVERAGE_COUNTS"

_numbers = itertools.count()


def counts_folder() -> Path | None:
    """The folder that the environment names; None when nothing is to be counted."""
    folder = os.environ.get(VARIABLE, "")
    return Path(folder) if folder not in ("", "0") else None


def counts_file(top: str) -> Path:
    """A file for the counts of one more simulation of this process, of the module `top`."""
    folder = counts_folder()
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{top}-{os.getpid()}-{next(_numbers)}.dat"
