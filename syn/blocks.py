"""The blocks that the flows know by name, each with its standard parameters.

`python -m llama2_myhdl.syn.blocks NAME FOLDER` converts one. A line of UNITS is a block and what its `ports` is given;
another entry is a function without arguments that returns (hblock, keyword arguments), under the block's own name. A
block is imported when it is wanted, so that a flow for one block does not load the others.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.rtl.verilog import write_verilog
from llama2_myhdl.spec.presets import PRESETS

CFG = PRESETS["default"].build  # the build whose figures the README gives
# The device holds a key/value cache of 8 heads for 2 layers of 128 positions and one attention unit of one query.
CACHE_THAT_FITS = replace(CFG, max_layers=2, max_seq=128, attention_units=1, attention_queries=1)
TWO_BY_TWO = dict(attention_units=2, attention_queries=2)  # two units, each with two queries side by side

QUANTISER = dict(
    MAX_LEN=max(CFG.max_dim, CFG.hidden_block), WORD=CFG.lanes, QLANES=CFG.quant_lanes, BITS=CFG.act_bits
)
# name: module below rtl, block, arguments of the module's `ports`
UNITS = {
    "exp2": ("arith.exp2", "exp2", {}),
    "reciprocal": ("arith.reciprocal", "reciprocal", {}),
    "sincos": ("rope.sincos", "sincos", {}),
    "decode_loop": ("decode.decode_loop", "decode_loop", dict(cfg=replace(CFG, sequences=4))),
    "engine_counters": ("decode.counters", "engine_counters", dict(SOURCES=5)),  # of saturations in an engine
    "matvec": ("matvec.matvec", "matvec", dict(cfg=CFG)),
    "rmsnorm": ("norm.rmsnorm", "rmsnorm", dict(cfg=CFG)),
    "quantiser": ("quant.quantiser", "quantiser", QUANTISER),  # of blocks; heads have the same one, of other parameters
    "residual": ("layer.residual", "residual", dict(cfg=CFG)),
    "attention": ("attention.attention", "attention", dict(cfg=CACHE_THAT_FITS)),
    "attention_2x2": ("attention.attention", "attention", dict(cfg=replace(CACHE_THAT_FITS, **TWO_BY_TWO))),
    "divide": ("attention.divide", "divide", dict(cfg=CFG)),  # of one pipeline of attention
    "argmax": ("logits.argmax", "argmax", dict(cfg=CFG)),
}

Entry = Callable[[], tuple[object, dict]]
BLOCKS: dict[str, Entry] = {}


class UnknownBlock(ValueError):
    """The name is not in the registry; the text lists those that are."""


def unit(module: str, block: str, arguments: dict) -> Entry:
    """The entry of a line of UNITS."""

    def found():
        loaded = importlib.import_module(f"llama2_myhdl.rtl.{module}")
        return getattr(loaded, block), loaded.ports(**arguments)

    return found


BLOCKS |= {name: unit(*line) for name, line in UNITS.items()}


def entry(function: Entry) -> Entry:
    """Register `function` under its own name."""
    BLOCKS[function.__name__] = function
    return function


def clocked(**ports) -> dict:
    """Arguments of a block with clock and reset."""
    return {"clk": bit(), "rst": bit(), **ports}


def vector(**tags) -> Stream:
    """A stream of F values with `last`, and tags beside the data."""
    return Stream(data=sint(CFG.f_bits), **tags, last=bit())


def kind():
    """Signal of the row kinds of `spec/kinds.py`."""
    from llama2_myhdl.spec.kinds import KIND_BITS

    return uint(KIND_BITS)


# --- streams and memory ---


@entry
def register():
    from llama2_myhdl.rtl.stream.register import ports
    from llama2_myhdl.rtl.stream.register import register as block

    return block, ports(vector())


@entry
def skid():
    from llama2_myhdl.rtl.stream.skid import ports
    from llama2_myhdl.rtl.stream.skid import skid as block

    return block, ports(vector())


@entry
def spill():
    from llama2_myhdl.rtl.stream.spill import ports
    from llama2_myhdl.rtl.stream.spill import spill as block

    return block, ports(vector())


@entry
def fifo():
    from llama2_myhdl.rtl.stream.fifo import fifo as block
    from llama2_myhdl.rtl.stream.fifo import ports

    return block, ports(vector(), depth=16)


@entry
def credit():
    from llama2_myhdl.rtl.stream.credit import credit as block
    from llama2_myhdl.rtl.stream.credit import ports

    return block, ports(depth=16)


@entry
def elastic():
    from llama2_myhdl.rtl.stream.elastic import elastic as block
    from llama2_myhdl.rtl.stream.elastic import ports

    return block, ports(vector(), latency=8)


@entry
def ram():
    """One tape beat wide, deep enough to fill block RAM."""
    from llama2_myhdl.rtl.memory.ram import ports
    from llama2_myhdl.rtl.memory.ram import ram as block

    return block, ports(depth=512, width=CFG.beat_bits, style="block")


# --- units ---


@entry
def loader():
    from llama2_myhdl.rtl.boot.loader import loader as block
    from llama2_myhdl.rtl.boot.loader import ports

    return block, ports(CFG)


@entry
def embedding():
    from llama2_myhdl.rtl.embedding.embedding import embedding as block
    from llama2_myhdl.rtl.embedding.embedding import ports

    return block, ports(CFG)


@entry
def embed_station():
    from llama2_myhdl.rtl.embedding.embed_station import embed_station as block
    from llama2_myhdl.rtl.embedding.embed_station import ports

    return block, ports(CFG)


@entry
def rope():
    from llama2_myhdl.rtl.rope.rope import ports
    from llama2_myhdl.rtl.rope.rope import rope as block

    return block, ports(CFG)


@entry
def swiglu():
    from llama2_myhdl.rtl.ffn.swiglu import ports
    from llama2_myhdl.rtl.ffn.swiglu import swiglu as block

    return block, ports(CFG.f_bits, CFG.hidden_block)


@entry
def decoder():
    from llama2_myhdl.rtl.decoder import decoder as block
    from llama2_myhdl.rtl.decoder import ports

    return block, ports(CFG)


def convert(name: str, folder: Path) -> list[Path]:
    """Write the Verilog of block `name` into `folder`; the files, children first and the block itself last.

    Raises UnknownBlock. The top module's name is the last file's stem.
    """
    if name not in BLOCKS:
        raise UnknownBlock(f"unknown BLOCK {name!r}; known: {', '.join(sorted(BLOCKS))}")
    block, arguments = BLOCKS[name]()
    return [module.file for module in write_verilog(block, folder, **arguments)]


def main(argv: list[str]) -> int:
    if len(argv) != 2:
        print("usage: python -m llama2_myhdl.syn.blocks NAME FOLDER", file=sys.stderr)
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
