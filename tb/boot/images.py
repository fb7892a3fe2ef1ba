"""Boot images of any registers, and what a loader must say to them, by another way than the loader's own rules."""

import random
from dataclasses import dataclass
from math import ceil

import numpy as np

from llama2_myhdl.spec import errors
from llama2_myhdl.spec.config import BuildConfig, ConfigError, ModelShape
from llama2_myhdl.spec.formats import GAIN_BITS
from llama2_myhdl.spec.program import head_beats, layer_beats, tape_beats
from llama2_myhdl.spec.registers import KIND, REGISTERS, WORD, register_limits, register_values
from llama2_myhdl.weights.tape import checksum

FREE = ("seq_len", "eps_term", "stop_a", "stop_b")  # registers that no beat of the image depends on


@dataclass
class Image:
    """An image whose checksum is right: its registers, and how many frequencies and payload beats really follow."""

    registers: dict[str, int]
    frequencies: int
    payload: int

    def beats(self, build: BuildConfig, rng: random.Random) -> np.ndarray:
        """uint8 [n, bytes of a beat]; what is behind the registers is noise."""
        count, size = self.frequencies + self.payload, build.beat_bytes
        body = np.zeros((len(REGISTERS) + count + 1, size), np.uint8)
        words = np.array([self.registers[name] for name in REGISTERS], "<u4")
        body[: len(REGISTERS), : WORD // 8] = words.view(np.uint8).reshape(-1, WORD // 8)
        body[len(REGISTERS) : -1] = np.frombuffer(rng.randbytes(count * size), np.uint8).reshape(-1, size)
        return sealed(body, build)


def sealed(beats: np.ndarray, build: BuildConfig) -> np.ndarray:
    """The same beats with the last one made the checksum of the others."""
    beats[-1] = 0
    beats[-1, : WORD // 8] = np.array([checksum(beats[:-1].tobytes(), build.beat_bytes)], "<u4").view(np.uint8)
    return beats


def words(beats: np.ndarray) -> list[dict]:
    """Payloads of the boot stream."""
    last = len(beats) - 1
    return [dict(data=int.from_bytes(beat.tobytes(), "little"), last=int(k == last)) for k, beat in enumerate(beats)]


def payload_beats(shape: ModelShape, build: BuildConfig) -> int:
    """Embedding and tapes of a model."""
    return shape.vocab_size * (1 + ceil(shape.dim / build.lanes)) + tape_beats(shape, build)


def derived(shape: ModelShape, build: BuildConfig) -> dict[str, int]:
    """What follows from the registers of a model's image, as the model's shape and its program have it."""
    lanes = build.lanes
    return dict(
        dim=shape.dim,
        n_heads=shape.n_heads,
        head_dim=shape.head_dim,
        kv_dim=shape.kv_dim,
        n_layers=shape.n_layers,
        dim_beats=ceil(shape.dim / lanes),
        hidden_beats=ceil(shape.hidden_dim / lanes),
        gain_beats=ceil(shape.dim * GAIN_BITS / build.beat_bits),
        layer_beats=layer_beats(shape, build),
        head_beats=head_beats(shape, build),
        payload_beats=payload_beats(shape, build),
    )


def good(shape: ModelShape, build: BuildConfig) -> Image:
    """The image of a model, with noise for its weights."""
    values = register_values(shape, build)
    return Image({name: values[name] for name in REGISTERS}, shape.head_dim // 2, payload_beats(shape, build))


def random_shape(build: BuildConfig, rng: random.Random) -> ModelShape:
    """A shape that the build holds; small ones and those at a limit are as likely as any."""

    def up_to(limit):
        return rng.choice((1, limit, rng.randint(1, limit)))

    while True:
        n_kv_heads = up_to(build.max_kv_heads)
        n_heads = n_kv_heads * up_to(build.max_heads // n_kv_heads)
        dim = 2 * up_to(build.max_head_dim // 2) * n_heads
        n_layers = rng.randint(build.engines, build.max_layers)
        shape = ModelShape(
            dim, up_to(build.max_hidden), n_layers, n_heads, n_kv_heads, up_to(build.max_vocab), up_to(build.max_seq)
        )
        try:
            build.check(shape)
        except ConfigError:
            continue
        return shape


def shape_of(registers: dict[str, int], build: BuildConfig) -> ModelShape:
    """The model that these registers speak of; ConfigError if there is none that the build holds."""
    n_heads = registers["kv_mul"] * registers["n_kv_heads"]
    shape = ModelShape(
        2 * registers["pairs"] * n_heads,
        registers["hidden_dim"],
        registers["layers_low"] * build.engines + registers["layers_extra"],
        n_heads,
        registers["n_kv_heads"],
        registers["vocab_size"],
        registers["seq_len"],
    )
    build.check(shape)
    if not registers["layers_low"] or registers["layers_extra"] >= build.engines:
        raise ConfigError("shares of the engines that no number of layers has")
    if max(registers["stop_a"], registers["stop_b"]) >= 1 << build.token_bits:
        raise ConfigError("a stop token that is no token")
    if not registers["eps_term"]:
        raise ConfigError("no epsilon: the zero vector has no norm")
    return shape


def verdict(image: Image, build: BuildConfig) -> int:
    """The error code that the image deserves, NONE if it is to be loaded."""
    ours = register_limits(build)
    if any(image.registers[name] != ours[name][0] for name in KIND):
        return errors.BAD_IMAGE
    try:
        shape = shape_of(image.registers, build)
    except ConfigError:
        return errors.BAD_SHAPE
    if image.frequencies + image.payload != shape.head_dim // 2 + payload_beats(shape, build):
        return errors.BAD_LENGTH
    return errors.NONE
