"""Register block of the boot stream: names, order and limits, for the packer, the RTL and the testbenches.

A boot image is a sequence of tape beats (LANES bytes each):

    one beat a register (little-endian 32 bits in the low bytes), in the order of REGISTERS
    one beat a RoPE frequency (32 bits), `pairs` of them
    the embedding: for each token one beat with the exponent (byte 0), then `dim_beats` beats of mantissas
    the tapes: `layer_beats` beats a layer, then `head_beats` beats
    one beat with the checksum of all beats before it (`checksum`)

Embedding and tapes are `payload_beats` beats together.
"""

from math import ceil

import numpy as np

from llama2_myhdl.golden.fixed.norm import epsilon_term
from llama2_myhdl.rtl.config import MIN_DIM, BuildConfig, ModelShape
from llama2_myhdl.rtl.layer.program import (
    gain_beats,
    head_beats,
    layer_beats,
    layer_split,
    max_head_beats,
    max_layer_beats,
    tape_beats,
)

MAGIC = 0x544D324C  # "L2MT"
VERSION = 2
WORD = 32

REGISTERS = (
    "magic",
    "version",
    "lanes",
    "hidden_block",
    "engines",
    "dim",
    "hidden_dim",
    "n_layers",
    "n_heads",
    "n_kv_heads",
    "vocab_size",
    "seq_len",
    "head_dim",
    "kv_dim",
    "kv_mul",
    "pairs",
    "dim_beats",
    "hidden_beats",
    "gain_beats",
    "eps_term",
    "stop_a",
    "stop_b",
    "layers_low",
    "layers_extra",
    "layer_beats",
    "head_beats",
    "payload_beats",
)


def register_values(shape: ModelShape, build: BuildConfig, stop=(1, 2)) -> dict[str, int]:
    """Contents of every register for a model; `stop`: the two token ids that end a story (BOS and EOS).

    layers_low: layers of every engine; the first layers_extra engines have one more.
    """
    lanes, dim_beats = build.lanes, ceil(shape.dim / build.lanes)
    low, extra = layer_split(shape.n_layers, build.engines)
    return dict(
        magic=MAGIC,
        version=VERSION,
        lanes=lanes,
        hidden_block=build.hidden_block,
        engines=build.engines,
        dim=shape.dim,
        hidden_dim=shape.hidden_dim,
        n_layers=shape.n_layers,
        n_heads=shape.n_heads,
        n_kv_heads=shape.n_kv_heads,
        vocab_size=shape.vocab_size,
        seq_len=shape.seq_len,
        head_dim=shape.head_dim,
        kv_dim=shape.kv_dim,
        kv_mul=shape.kv_mul,
        pairs=shape.head_dim // 2,
        dim_beats=dim_beats,
        hidden_beats=ceil(shape.hidden_dim / lanes),
        gain_beats=gain_beats(shape.dim, lanes),
        eps_term=epsilon_term(shape.dim, shape.norm_eps),
        stop_a=stop[0],
        stop_b=stop[1],
        layers_low=low,
        layers_extra=extra,
        layer_beats=layer_beats(shape, build),
        head_beats=head_beats(shape, build),
        payload_beats=shape.vocab_size * (1 + dim_beats) + tape_beats(shape, build),
    )


def register_limits(build: BuildConfig) -> dict[str, tuple[int, int]]:
    """Smallest and largest value of every register that this build accepts."""
    word = (1 << WORD) - 1
    payload = build.max_vocab * (1 + build.dim_beats) + build.max_layers * max_layer_beats(build)
    payload += max_head_beats(build)
    return dict(
        magic=(MAGIC, MAGIC),
        version=(VERSION, VERSION),
        lanes=(build.lanes, build.lanes),
        hidden_block=(build.hidden_block, build.hidden_block),
        engines=(build.engines, build.engines),
        dim=(MIN_DIM, build.max_dim),
        hidden_dim=(1, build.max_hidden),
        n_layers=(1, build.max_layers),
        n_heads=(1, build.max_heads),
        n_kv_heads=(1, build.max_kv_heads),
        vocab_size=(1, build.max_vocab),
        seq_len=(1, build.max_seq),
        head_dim=(2, build.max_head_dim),
        kv_dim=(2, build.max_dim),
        kv_mul=(1, build.max_heads),
        pairs=(1, build.max_head_dim // 2),
        dim_beats=(1, build.dim_beats),
        hidden_beats=(1, build.hidden_beats),
        gain_beats=(1, gain_beats(build.max_dim, build.lanes)),
        eps_term=(0, word),
        stop_a=(0, word),
        stop_b=(0, word),
        layers_low=(1, build.engine.max_layers),
        layers_extra=(0, max(1, build.engines - 1)),
        layer_beats=(1, max_layer_beats(build)),
        head_beats=(1, max_head_beats(build)),
        payload_beats=(1, payload),
    )


def checksum(beats: bytes, lanes: int) -> int:
    """Rotate left by one, then XOR the beat's 32-bit words, for every beat; starts at 0."""
    words = np.frombuffer(beats, dtype="<u4").reshape(-1, lanes * 8 // WORD)
    total = 0
    for fold in np.bitwise_xor.reduce(words, axis=1).tolist():
        total = ((total << 1 | total >> 31) & 0xFFFFFFFF) ^ fold
    return total
