"""The blocks that the flows know by name, each with its standard parameters.

`python -m syn.blocks NAME FOLDER` converts one. An entry is a function without arguments that returns (hblock, keyword
arguments). It imports its block itself, so that a flow for one block does not load the others. Add one with `@entry`
under the block's own name.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from rtl.config import PRESETS

CFG = PRESETS["default"].build  # the build whose figures the README gives

Entry = Callable[[], tuple[object, dict]]
BLOCKS: dict[str, Entry] = {}


class UnknownBlock(ValueError):
    """The name is not in the registry; the text lists those that are."""


def entry(function: Entry) -> Entry:
    """Register `function` under its own name."""
    BLOCKS[function.__name__] = function
    return function


def convert(name: str, folder: Path) -> list[Path]:
    """Write the Verilog of block `name` into `folder`; the files, children first and the block itself last.

    Raises UnknownBlock. The top module's name is the last file's stem.
    """
    if name not in BLOCKS:
        raise UnknownBlock(f"unknown BLOCK {name!r}; known: {', '.join(sorted(BLOCKS))}")
    from rtl.hdl.hierarchy import convert as convert_block

    block, arguments = BLOCKS[name]()
    return [module.file for module in convert_block(block, folder, **arguments)]


def main(argv: list[str]) -> int:
    if len(argv) != 2:
        print("usage: python -m syn.blocks NAME FOLDER", file=sys.stderr)
        return 2
    try:
        for path in convert(argv[0], Path(argv[1])):
            print(path)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
