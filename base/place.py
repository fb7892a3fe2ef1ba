"""Which folders can be built in: makefiles, search paths and linker options cannot name every one."""

import re
import sys
from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.folders import GENERATED, PROJECT

UNFIT = re.compile(r"[^A-Za-z0-9/._+@~^!%{}*?\[\]-]")  # tried with both simulators; as in .ci/place


def check_folder(*folders: Path) -> None:
    """ModelError when a folder has a character that would break a build; without folders, those that builds use."""
    for folder in folders or (GENERATED, PROJECT, Path(sys.prefix)):
        path = str(folder.resolve())
        if bad := UNFIT.search(path):
            raise ModelError(f"{path!r}: a folder whose path has {bad.group()!r} cannot be built in; use another")
