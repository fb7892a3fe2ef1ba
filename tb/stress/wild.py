"""Models of integers at their limits: extreme exponents, and weights that saturate."""

import random

import numpy as np

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.constants import Gain
from llama2_myhdl.spec.limits import exponent_limits, gain_exponent_max, mantissa_max
from llama2_myhdl.spec.quantised import LAYER_MATRICES, QuantisedCheckpoint, QuantisedMatrix
from llama2_myhdl.weights.rows import integers
from llama2_myhdl.weights.tape import Tape, boot_image

GAIN_MAX = (1 << 15) - 1
MANTISSAS = ("random", "ends", "one end", "sparse")
EXPONENTS = ("high", "low", "near", "any")


class Wild:
    """Draws the parts of one model of a shape."""

    def __init__(self, shape: ModelShape, weight_bits: int, rng: random.Random):
        self.shape, self.bits, self.rng = shape, weight_bits, rng
        self.data = np.random.default_rng(rng.getrandbits(64))
        self.loud = rng.random() < 0.5  # exponents near their upper limits are the rule

    def exponents(self, low: int, high: int, count: int) -> np.ndarray:
        """Of rows or a gain: at a limit, near the upper one, or anywhere."""
        kind = self.rng.choices(EXPONENTS, (4, 1, 4, 1) if self.loud else (1, 1, 4, 4))[0]
        spread = {"high": (high, high), "low": (low, low), "near": (max(low, high - 9), high), "any": (low, high)}[kind]
        return self.data.integers(spread[0], spread[1] + 1, count).astype(np.int8)

    def mantissas(self, size: tuple[int, ...], limit: int) -> np.ndarray:
        """Random ones, both ends of the range, one end, or nearly all zero."""
        kind = self.rng.choice(MANTISSAS)
        if kind == "random":
            return self.data.integers(-limit, limit + 1, size)
        ends = self.data.choice((-limit, limit), size)
        if kind == "one end":
            return np.full(size, limit)
        return ends * (self.data.random(size) < 0.1) if kind == "sparse" else ends

    def gain(self) -> Gain:
        (exponent,) = self.exponents(-20, gain_exponent_max(self.shape), 1)
        return Gain(self.mantissas((self.shape.dim,), GAIN_MAX).astype(np.int16), int(exponent))

    def matrix(self, name: str, rows: int, cols: int, gain: Gain | None = None) -> QuantisedMatrix:
        limits = exponent_limits(self.shape, name, self.bits, None if gain is None else gain.exponent)
        exponent = self.exponents(limits["low"], limits["high"], rows)
        return QuantisedMatrix(integers(self.mantissas((rows, cols), mantissa_max(self.bits)), self.bits), exponent)

    def checkpoint(self) -> QuantisedCheckpoint:
        s = self.shape
        sizes = dict(wq=(s.dim, s.dim), wk=(s.kv_dim, s.dim), wv=(s.kv_dim, s.dim), wo=(s.dim, s.dim),
                     w1=(s.hidden_dim, s.dim), w2=(s.dim, s.hidden_dim), w3=(s.hidden_dim, s.dim))  # fmt: skip
        layers = range(s.n_layers)
        gains = {name: tuple(self.gain() for _ in layers) for name in ("rms_att", "rms_ffn")}
        norm = dict.fromkeys(("wq", "wk", "wv"), "rms_att") | dict.fromkeys(("w1", "w3"), "rms_ffn")
        matrices = {
            name: tuple(
                self.matrix(name, *sizes[name], gains[norm[name]][layer] if name in norm else None) for layer in layers
            )
            for name in LAYER_MATRICES
        }
        final = self.gain()
        return QuantisedCheckpoint(
            s,
            self.matrix("embedding", s.vocab_size, s.dim),
            rms_final=final,
            classifier=self.matrix("classifier", s.vocab_size, s.dim, final),
            **gains,
            **matrices,
        )


def wild_model(shape: ModelShape, build: BuildConfig, rng: random.Random) -> tuple[FixedModel, Tape]:
    """The integer model and the boot image of a model at its limits."""
    weights = Wild(shape, build.weight_bits, rng).checkpoint()
    return FixedModel(weights, build), boot_image(weights, build)
