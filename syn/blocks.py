"""The blocks that the flows know by name, each with its standard parameters.

`python -m syn.blocks NAME FOLDER` converts one. An entry is a function without arguments that returns (hblock, keyword
arguments). It imports its block itself, so that a flow for one block does not load the others. Add one with `@entry`
under the block's own name.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from rtl.config import PRESETS, clog2

CFG = PRESETS["default"].build  # the build whose figures the README gives

Entry = Callable[[], tuple[object, dict]]
BLOCKS: dict[str, Entry] = {}


class UnknownBlock(ValueError):
    """The name is not in the registry; the text lists those that are."""


def entry(function: Entry) -> Entry:
    """Register `function` under its own name."""
    BLOCKS[function.__name__] = function
    return function


def clocked() -> dict:
    """The clock and reset that most blocks take."""
    from rtl.stream.stream import bit

    return {"clk": bit(), "rst": bit()}


def f_stream():
    """A stream of one F value and `last`: what most units speak."""
    from rtl.stream.stream import Stream, bit, sint

    return Stream(data=sint(CFG.f_bits), last=bit())


@entry
def register():
    from rtl.stream.register import register as block

    return block, clocked() | {"s": f_stream(), "m": f_stream()}


@entry
def skid():
    from rtl.stream.skid import skid as block

    return block, clocked() | {"s": f_stream(), "m": f_stream()}


@entry
def fifo():
    from rtl.stream.fifo import fifo as block

    return block, clocked() | {"s": f_stream(), "m": f_stream(), "DEPTH": 16}


@entry
def credit():
    from rtl.stream.credit import credit as block
    from rtl.stream.stream import bit

    return block, clocked() | {"take": bit(), "give": bit(), "ready": bit(), "DEPTH": 16}


@entry
def elastic():
    from rtl.stream.elastic import elastic as block
    from rtl.stream.stream import bit

    m = f_stream()
    return block, clocked() | {"s_valid": bit(), "s_ready": bit(), "result": m.bare(), "m": m, "LATENCY": 8}


@entry
def ram():
    """One tape beat wide, deep enough to fill block RAM."""
    from rtl.memory.ram import ram as block
    from rtl.stream.stream import bit, uint

    depth = max(512, 2 * CFG.max_row_beats)
    waddr, raddr = uint(clog2(depth)), uint(clog2(depth))
    wdata, rdata = uint(CFG.beat_bits), uint(CFG.beat_bits)
    return block, dict(
        clk=bit(), we=bit(), waddr=waddr, wdata=wdata, raddr=raddr, rdata=rdata, DEPTH=depth, STYLE="block"
    )


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
