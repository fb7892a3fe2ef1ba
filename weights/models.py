"""Which checkpoint and which build the measuring commands use."""

import os
from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.folders import PROJECT

MODELS_VARIABLE = "LLAMA2_MODELS"  # folder with stories260K.bin and tok512.bin
DEFAULT = PROJECT / "weights" / "default"


def stories260k() -> Path | None:
    """The checkpoint stories260K in the folder that LLAMA2_MODELS names; None where it is unset.

    ModelError when the folder has no such file.
    """
    folder = os.environ.get(MODELS_VARIABLE)
    if not folder:
        return None
    path = Path(folder) / "stories260K.bin"
    if not path.is_file():
        raise ModelError(f"{MODELS_VARIABLE}={folder}: no stories260K.bin there")
    return path
