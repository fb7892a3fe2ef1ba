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

from llama2_myhdl.hdl.hierarchy import convert as convert_block
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.formats import PHASE_BITS
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
    from llama2_myhdl.rtl.stream.register import register as block

    return block, clocked(s=vector(), m=vector())


@entry
def skid():
    from llama2_myhdl.rtl.stream.skid import skid as block

    return block, clocked(s=vector(), m=vector())


@entry
def spill():
    from llama2_myhdl.rtl.stream.spill import spill as block

    return block, clocked(s=vector(), m=vector())


@entry
def fifo():
    from llama2_myhdl.rtl.stream.fifo import fifo as block

    return block, clocked(s=vector(), m=vector(), DEPTH=16)


@entry
def credit():
    from llama2_myhdl.rtl.stream.credit import credit as block

    return block, clocked(take=bit(), give=bit(), ready=bit(), DEPTH=16)


@entry
def elastic():
    from llama2_myhdl.rtl.stream.elastic import elastic as block

    return block, clocked(s_valid=bit(), s_ready=bit(), result=vector().bare(), m=vector(), LATENCY=8)


@entry
def ram():
    """One tape beat wide, deep enough to fill block RAM."""
    from llama2_myhdl.rtl.memory.ram import ram as block

    depth = 512
    address, word = clog2(depth), CFG.beat_bits
    ports = dict(waddr=uint(address), wdata=uint(word), raddr=uint(address), rdata=uint(word))
    return block, dict(clk=bit(), we=bit(), **ports, DEPTH=depth, STYLE="block")


# --- units ---


@entry
def loader():
    from llama2_myhdl.rtl.boot.loader import ShapeRegisters
    from llama2_myhdl.rtl.boot.loader import loader as block
    from llama2_myhdl.spec.errors import ERROR_BITS

    boot = {name: Stream(data=uint(CFG.beat_bits), last=bit()) for name in ("s", "m")}
    frequencies = dict(freq_we=bit(), freq_addr=uint(clog2(CFG.max_head_dim // 2)), freq_data=uint(PHASE_BITS))
    status = dict(loaded=bit(), error=uint(ERROR_BITS))
    return block, clocked(**boot, shape=ShapeRegisters(CFG), **frequencies, **status, CFG=CFG)


@entry
def embedding():
    from llama2_myhdl.rtl.boot.loader import ShapeRegisters
    from llama2_myhdl.rtl.embedding.embedding import embedding as block

    shape = ShapeRegisters(CFG)
    boot = Stream(data=uint(CFG.beat_bits), last=bit())
    streams = dict(s_boot=boot, s_token=Stream(token=uint(CFG.token_bits)), m=vector())
    return block, clocked(**streams, dim=shape.dim, dim_beats=shape.dim_beats, CFG=CFG)


@entry
def embed_station():
    from llama2_myhdl.rtl.boot.loader import ShapeRegisters
    from llama2_myhdl.rtl.embedding.station import embed_station as block
    from llama2_myhdl.rtl.layer.packet import packet, token_request

    shape = ShapeRegisters(CFG)
    boot = {name: Stream(data=uint(CFG.beat_bits), last=bit()) for name in ("s_boot", "m_boot")}
    registers = dict(dim=shape.dim, dim_beats=shape.dim_beats, vocab_size=shape.vocab_size)
    return block, clocked(**boot, s=token_request(CFG), m=packet(CFG), **registers, CFG=CFG)


@entry
def rope():
    from llama2_myhdl.rtl.boot.loader import ShapeRegisters
    from llama2_myhdl.rtl.rope.rope import rope as block

    streams = dict(s=vector(kind=kind()), s_pos=Stream(pos=uint(CFG.pos_bits)), m=vector(tag=kind()))
    frequencies = dict(
        freq_we=bit(), freq_addr=uint(clog2(CFG.max_head_dim // 2)), freq_data=uint(PHASE_BITS)
    )
    return block, clocked(**streams, **frequencies, pairs=ShapeRegisters(CFG).pairs, saturated=bit(), CFG=CFG)


@entry
def swiglu():
    from llama2_myhdl.rtl.ffn.swiglu import swiglu as block

    return block, clocked(s=vector(), m=vector(), saturated=bit(), BLOCK=CFG.hidden_block)


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
    return [module.file for module in convert_block(block, folder, **arguments)]


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
