"""Steps between a block's Verilog and the simulator; one that the environment names is passed by every build.

A build is given a step, `sim.build.build(.., through=..)`, by a test that knows it. Where tests are to run unchanged on
something else than the Verilog, the environment names what makes the step: BUILD_THROUGH=package.module:name, called
without arguments for each build that has no step of its own.
"""

import importlib
import os
from pathlib import Path
from typing import Protocol

from llama2_myhdl.hdl.hierarchy import ModuleFile

VARIABLE = "BUILD_THROUGH"


class Through(Protocol):
    """A step between a block's Verilog and the simulator, which runs what the step makes of it, such as a netlist.

    name: of the folder; identity: changes when the step would make something else of the same Verilog.
    """

    name: str
    identity: str

    def __call__(self, modules: list[ModuleFile], folder: Path) -> list[ModuleFile]:
        """Make files in `folder` of the modules, children before parents; the top keeps its name and its ports."""

    def arguments(self, sim: str) -> list[str]:
        """More arguments for the simulator's compiler."""


def of_environment() -> Through | None:
    """The step that BUILD_THROUGH names; None where it is unset. ValueError when it names nothing."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return None
    module, _, name = wanted.partition(":")
    try:
        return getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{VARIABLE}: must be package.module:name of a step, is {wanted!r}: {error}") from error
