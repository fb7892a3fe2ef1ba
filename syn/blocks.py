"""The blocks that the flows know by name, each with its standard parameters.

`python -m llama2_myhdl.syn.blocks NAME FOLDER` converts one. A line of UNITS is a block and what its `ports` is given;
a block is imported when it is wanted, so that a flow for one block does not load the others.
"""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

from llama2_myhdl.rtl.stream.stream import Stream, bit, sint
from llama2_myhdl.rtl.verilog import write_verilog
from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.presets import PRESETS

CFG = PRESETS["default"].build  # the build whose figures the README gives
# The device holds a key/value cache of 8 heads for 2 layers of 128 positions and one attention unit of one query.
CACHE_THAT_FITS = replace(CFG, max_layers=2, max_seq=128, attention_units=1, attention_queries=1)
TWO_BY_TWO = dict(attention_units=2, attention_queries=2)  # two units, each with two queries side by side

QUANTISER = dict(
    MAX_LEN=max(CFG.max_dim, CFG.hidden_block), WORD=CFG.lanes, QLANES=CFG.quant_lanes, BITS=CFG.act_bits
)
VECTOR = Stream(data=sint(CFG.f_bits), last=bit())  # of F values
# name: module below rtl, block, arguments of the module's `ports`
UNITS = {
    "register": ("stream.register", "register", dict(stream=VECTOR)),
    "skid": ("stream.skid", "skid", dict(stream=VECTOR)),
    "spill": ("stream.spill", "spill", dict(stream=VECTOR)),
    "fifo": ("stream.fifo", "fifo", dict(stream=VECTOR, depth=16)),
    "credit": ("stream.credit", "credit", dict(depth=16)),
    "elastic": ("stream.elastic", "elastic", dict(result=VECTOR, latency=8)),
    "ram": ("memory.ram", "ram", dict(depth=512, width=CFG.beat_bits, style="block")),  # a tape beat wide
    "exp2": ("arith.exp2", "exp2", {}),
    "reciprocal": ("arith.reciprocal", "reciprocal", {}),
    "sincos": ("rope.sincos", "sincos", {}),
    "loader": ("boot.loader", "loader", dict(build=CFG)),
    "embedding": ("embedding.embedding", "embedding", dict(cfg=CFG)),
    "embed_station": ("embedding.embed_station", "embed_station", dict(cfg=CFG)),
    "link": ("board.link", "link", dict(build=CFG, clocks=80, bits=3)),  # 80 MHz, 3 Mbaud
    "leds": ("board.leds", "leds", {}),
    "decode_loop": ("decode.decode_loop", "decode_loop", dict(cfg=replace(CFG, sequences=4))),
    "engine_counters": ("decode.counters", "engine_counters", dict(SOURCES=5)),  # of saturations in an engine
    "matvec": ("matvec.matvec", "matvec", dict(cfg=CFG)),
    "rope": ("rope.rope", "rope", dict(cfg=CFG)),
    "rmsnorm": ("norm.rmsnorm", "rmsnorm", dict(cfg=CFG)),
    "swiglu": ("ffn.swiglu", "swiglu", dict(f_bits=CFG.f_bits, block=CFG.hidden_block)),
    "quantiser": ("quant.quantiser", "quantiser", QUANTISER),  # of blocks; heads have the same one, of other parameters
    "residual": ("layer.residual", "residual", dict(cfg=CFG)),
    "attention": ("attention.attention", "attention", dict(cfg=CACHE_THAT_FITS)),
    "attention_2x2": ("attention.attention", "attention", dict(cfg=replace(CACHE_THAT_FITS, **TWO_BY_TWO))),
    "attention_memory": ("attention.attention", "attention", dict(cfg=replace(CACHE_THAT_FITS, cache=ReadMaster()))),
    "divide": ("attention.divide", "divide", dict(cfg=CFG)),  # of one pipeline of attention
    "argmax": ("logits.argmax", "argmax", dict(cfg=CFG)),
    "sampler": ("sampling.sampler", "sampler", dict(cfg=CFG)),
    "llama2_ip": ("control.llama2_ip", "llama2_ip", dict(build=PRESETS["nano-bus"].build)),
    "decoder": ("decoder", "decoder", dict(build=CFG)),
}

class UnknownBlock(ValueError):
    """The name is not in the registry; the text lists those that are."""


def block_of(name: str) -> tuple[object, dict]:
    """The @hblock of that name and its arguments."""
    if name not in UNITS:
        raise UnknownBlock(f"unknown BLOCK {name!r}; known: {', '.join(sorted(UNITS))}")
    module, block, arguments = UNITS[name]
    loaded = importlib.import_module(f"llama2_myhdl.rtl.{module}")
    return getattr(loaded, block), loaded.ports(**arguments)


def convert(name: str, folder: Path) -> list[Path]:
    """Write the Verilog of block `name` into `folder`; the files, children first and the block itself last.

    Raises UnknownBlock. The top module's name is the last file's stem.
    """
    block, arguments = block_of(name)
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
