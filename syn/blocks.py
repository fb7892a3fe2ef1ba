"""The blocks that the flows know by name, each with its standard parameters.

`python -m llama2_myhdl.syn.blocks NAME FOLDER` converts one. An entry is a function without arguments that returns
(hblock, keyword arguments). It imports its block itself, so that a flow for one block does not load the others. Add
one with `@entry` under the block's own name.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from llama2_myhdl.rtl.matvec.streams import SCALE_BITS
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.rtl.verilog import write_verilog
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.formats import EXP2_FRAC, PHASE_BITS
from llama2_myhdl.spec.presets import PRESETS

CFG = PRESETS["default"].build  # the build whose figures the README gives
# The device holds a key/value cache of 8 heads for 2 layers of 128 positions and one attention unit of one query.
CACHE_THAT_FITS = replace(CFG, max_layers=2, max_seq=128, attention_units=1, attention_queries=1)

Entry = Callable[[], tuple[object, dict]]
BLOCKS: dict[str, Entry] = {}


class UnknownBlock(ValueError):
    """The name is not in the registry; the text lists those that are."""


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


# --- arithmetic leaves ---


@entry
def exp2():
    from llama2_myhdl.rtl.arith.exp2 import exp2 as block

    return block, dict(clk=bit(), u=uint(CFG.f_bits), y=uint(EXP2_FRAC + 1))


@entry
def reciprocal():
    from llama2_myhdl.rtl.arith.reciprocal import reciprocal as block

    return block, dict(clk=bit(), d=uint(EXP2_FRAC + 1), y=uint(EXP2_FRAC + 1))


@entry
def sincos():
    from llama2_myhdl.rtl.rope.sincos import VALUE_BITS
    from llama2_myhdl.rtl.rope.sincos import sincos as block

    return block, dict(clk=bit(), phase=uint(PHASE_BITS), cosine=bit(), y=sint(VALUE_BITS))


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
def decode_loop():
    """For four sequences side by side."""
    from llama2_myhdl.rtl.boot.loader import ShapeRegisters
    from llama2_myhdl.rtl.decode.decode_loop import decode_loop as block
    from llama2_myhdl.rtl.decode.decode_loop import prompt_stream, token_stream
    from llama2_myhdl.rtl.layer.packet import prediction, token_request
    from llama2_myhdl.spec.errors import ERROR_BITS

    cfg = replace(CFG, sequences=4)
    shape = ShapeRegisters(cfg)
    streams = dict(s_prompt=prompt_stream(cfg), m_request=token_request(cfg))
    streams |= dict(s_prediction=prediction(cfg), m_token=token_stream(cfg))
    registers = {name: getattr(shape, name) for name in ("vocab_size", "seq_len", "stop_a", "stop_b")}
    pins = dict(enable=bit(), clear=bit(), error=uint(ERROR_BITS))
    return block, clocked(**streams, **registers, **pins, SEQUENCES=cfg.sequences)


@entry
def engine_counters():
    from llama2_myhdl.rtl.decode.counters import COUNTER_BITS, SELECT_BITS
    from llama2_myhdl.rtl.decode.counters import engine_counters as block
    from llama2_myhdl.spec.causes import CAUSE_BITS

    sources = 5  # of saturations in an engine
    pins = dict(enable=bit(), cause=uint(CAUSE_BITS), token=bit(), attention_busy=bit())
    buses = dict(saturated=uint(sources), select=uint(SELECT_BITS), value=uint(COUNTER_BITS))
    return block, clocked(**pins, **buses)


@entry
def matvec():
    from llama2_myhdl.rtl.matvec import streams as ports
    from llama2_myhdl.rtl.matvec.matvec import matvec as block
    from llama2_myhdl.spec.causes import CAUSE_BITS

    tape, gain = ports.beat_stream(CFG), ports.beat_stream(CFG)
    inputs = dict(s_cmd=ports.command_stream(CFG), s_tape=tape, s_act=ports.activation_stream(CFG))
    outputs = dict(m_row=ports.row_stream(CFG), m_gain=gain, from_head=bit(), cause=uint(CAUSE_BITS), saturated=bit())
    return block, clocked(**inputs, s_scale=ports.scale_stream(CFG), **outputs, CFG=CFG)


@entry
def rmsnorm():
    from llama2_myhdl.rtl.boot.loader import ShapeRegisters
    from llama2_myhdl.rtl.norm.rmsnorm import rmsnorm as block

    shape = ShapeRegisters(CFG)
    inverse_rms = Stream(factor=uint(EXP2_FRAC + 1), scale=sint(SCALE_BITS))
    streams = dict(s_gain=Stream(data=uint(CFG.beat_bits)), s_x=vector(), m_y=vector(), m_r=inverse_rms)
    return block, clocked(**streams, eps_term=shape.eps_term, gain_beats=shape.gain_beats, CFG=CFG)


@entry
def quantiser():
    """The block quantiser; the head quantiser is the same block with other parameters."""
    from llama2_myhdl.rtl.quant.quantiser import EXPONENT_BITS
    from llama2_myhdl.rtl.quant.quantiser import quantiser as block

    words = Stream(data=uint(CFG.act_word_bits), exponent=uint(EXPONENT_BITS), tag=kind(), last=bit())
    pairs = vector(second=sint(CFG.f_bits), both=bit(), tag=kind())
    longest = max(CFG.max_dim, CFG.hidden_block)
    parameters = dict(MAX_LEN=longest, WORD=CFG.lanes, QLANES=CFG.quant_lanes, BITS=CFG.act_bits)
    return block, clocked(s=pairs, m=words, **parameters)


@entry
def residual():
    from llama2_myhdl.rtl.layer.residual import residual as block

    return block, clocked(s_x=vector(), s_add=vector(emit=bit()), m=vector(), saturated=bit(), CFG=CFG)


@entry
def rope():
    from llama2_myhdl.rtl.rope.rope import ports
    from llama2_myhdl.rtl.rope.rope import rope as block

    return block, ports(CFG)


def _attention(cfg):
    from llama2_myhdl.rtl.attention.attention import attention as block
    from llama2_myhdl.rtl.boot.loader import ShapeRegisters
    from llama2_myhdl.rtl.quant.quantiser import EXPONENT_BITS

    shape = ShapeRegisters(cfg)

    def rows(bits):
        return Stream(data=uint(cfg.max_head_dim * bits), exponent=uint(EXPONENT_BITS), tag=kind(), last=bit())

    pairs = Stream(data=sint(cfg.f_bits), second=sint(cfg.f_bits), last=bit())
    streams = dict(s=rows(cfg.act_bits), s_value=rows(cfg.value_bits), m=pairs)
    place = dict(layer=uint(clog2(cfg.max_layers)), seq=uint(cfg.seq_bits), pos=uint(cfg.pos_bits))
    ratio = dict(head_dim=shape.head_dim, kv_mul=shape.kv_mul, n_kv_heads=shape.n_kv_heads)
    return block, clocked(**streams, **place, **ratio, saturated=bit(), busy=bit(), CFG=cfg)


@entry
def attention():
    return _attention(CACHE_THAT_FITS)


@entry
def attention_2x2():
    """Two units, each with two queries side by side."""
    return _attention(replace(CACHE_THAT_FITS, attention_units=2, attention_queries=2))


@entry
def divide():
    """The division of one pipeline of attention."""
    from llama2_myhdl.rtl.attention.divide import divide as block
    from llama2_myhdl.rtl.attention.lazy import SCALE_BITS as LAZY_BITS
    from llama2_myhdl.rtl.attention.lazy import STEP
    from llama2_myhdl.rtl.attention.weighted_sum import den_bits, num_bits
    from llama2_myhdl.rtl.boot.loader import ShapeRegisters
    from llama2_myhdl.rtl.quant.quantiser import EXPONENT_BITS

    denominator = dict(den_load=bit(), den=uint(den_bits(CFG) + STEP - 1), scale_den=uint(LAZY_BITS))
    lanes = uint(CFG.max_head_dim * (num_bits(CFG) + STEP - 1))
    numerator = dict(num_load=bit(), num=lanes, scale_num=uint(LAZY_BITS), gap=uint(EXPONENT_BITS))
    pairs = dict(valid=bit(), data=sint(CFG.f_bits), second=sint(CFG.f_bits), last=bit())
    clips = dict(clipped0=bit(), clipped1=bit())
    head_dim = ShapeRegisters(CFG).head_dim
    return block, clocked(**denominator, **numerator, head_dim=head_dim, **pairs, **clips, CFG=CFG)


@entry
def swiglu():
    from llama2_myhdl.rtl.ffn.swiglu import ports
    from llama2_myhdl.rtl.ffn.swiglu import swiglu as block

    return block, ports(CFG.f_bits, CFG.hidden_block)


@entry
def argmax():
    """The logits unit: running maximum over the classifier's rows."""
    from llama2_myhdl.rtl.logits.argmax import argmax as block

    return block, clocked(s=vector(), m=Stream(token=uint(CFG.token_bits)), CFG=CFG)


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
