"""The project's Verilog: every conversion takes the same prefix of module names and the same notice."""

from pathlib import Path

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.hdl.hierarchy import ModuleFile, convert
from llama2_myhdl.hdl.progress import Progress, silent

PREFIX = "llama_"  # so that the modules can stand beside those of other projects
NOTICE = "llama2.myhdl. SPDX-License-Identifier: Apache-2.0"


def write_verilog(block, folder: Path, progress: Progress = silent, **arguments) -> list[ModuleFile]:
    """A block with its arguments and all below it as Verilog in a folder; see `hdl.hierarchy.convert`."""
    return convert(block, folder, progress=progress, prefix=PREFIX, notice=NOTICE, **arguments)


def write_file_list(modules: list[ModuleFile], folder: Path) -> Path:
    """TOP.f in the folder: the files of all modules, those of children first, for `verilator -F` or `iverilog -c`."""
    path = Path(folder) / f"{modules[-1].name}.f"
    write_whole(path, ["".join(f"{module.file.name}\n" for module in modules).encode()])
    return path
