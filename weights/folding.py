"""Factors that rounding folds into weights, gains made integers, and the way back to floats."""

from math import e, log2, sqrt

import numpy as np

from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.constants import GAIN_EXPONENT_MIN, Gain
from llama2_myhdl.spec.formats import GAIN_BITS, WEIGHT_BITS
from llama2_myhdl.spec.limits import exponent_limits as limits_behind
from llama2_myhdl.spec.limits import norm_in_front
from llama2_myhdl.spec.quantised import LAYER_MATRICES, QuantisedCheckpoint

LOG2E = log2(e)
_FACTORS = {"wq": lambda shape: LOG2E / sqrt(shape.head_dim), "w1": lambda shape: LOG2E, "w3": lambda shape: 1 / LOG2E}


def fold_factor(name: str, shape: ModelShape) -> float:
    """What a matrix is multiplied by before rounding: attention scores and the SwiGLU's sigmoid then live in base 2.

    silu(h1) * h3 = h1' * sigma2(h1') * h3' with h1' = h1 * log2(e), h3' = h3 / log2(e), sigma2(u) = 1 / (1 + 2**-u).
    """
    return _FACTORS[name](shape) if name in _FACTORS else 1.0


def quantise_gain(gain, dim: int) -> Gain:
    """Gains with sqrt(dim) folded in, so that the hardware needs no mean.

    Gains that are too small for the exponent's field lose bits; those that are too large are for the caller to refuse.
    """
    g = np.asarray(gain, dtype=np.float64) * sqrt(dim)
    top = 2 ** (GAIN_BITS - 1) - 1
    peak = np.abs(g).max()
    e = int(np.ceil(np.log2(peak / top * 2 ** (GAIN_BITS - 1)))) if peak > 0 else 0
    e = max(e, GAIN_EXPONENT_MIN)
    return Gain(np.round(g * 2.0 ** (GAIN_BITS - 1 - e)).astype(np.int64), e)


def quantised_gains(checkpoint: Checkpoint) -> dict[str, Gain | tuple[Gain, ...]]:
    """The norm gains of a checkpoint as a QuantisedCheckpoint has them, by name."""
    dim = checkpoint.shape.dim
    layers = {name: tuple(quantise_gain(g, dim) for g in getattr(checkpoint, name)) for name in ("rms_att", "rms_ffn")}
    return layers | {"rms_final": quantise_gain(checkpoint.rms_final, dim)}


def exponent_limits(
    checkpoint: Checkpoint, name: str, layer: int | None = None, bits: int = WEIGHT_BITS[0]
) -> dict[str, int]:
    """As `spec.limits.exponent_limits`, behind the gains of a checkpoint; layer: None for the matrices of no layer."""
    exponent = None
    if norm := norm_in_front(name):
        gain = getattr(checkpoint, norm)
        exponent = quantise_gain(gain if layer is None else gain[layer], checkpoint.shape.dim).exponent
    return limits_behind(checkpoint.shape, name, bits, exponent)


def dequantise(weights: QuantisedCheckpoint) -> Checkpoint:
    """A float checkpoint of the rounded weights, folding undone: for the float model ("weights only")."""

    def floats(gain: Gain) -> np.ndarray:
        scale = 2.0 ** (gain.exponent - (GAIN_BITS - 1)) / sqrt(weights.shape.dim)
        return (gain.mantissa * scale).astype(np.float32)

    def stacked(name: str) -> np.ndarray:
        layers = getattr(weights, name)
        found = np.empty((len(layers), *layers[0].mantissa.shape), np.float32)
        for place, matrix in zip(found, layers, strict=True):
            place[...] = matrix.dequantise() / fold_factor(name, weights.shape)
        return found

    matrices = {name: stacked(name) for name in LAYER_MATRICES}
    return Checkpoint(
        shape=weights.shape,
        token_embedding=weights.embedding.dequantise().astype(np.float32),
        classifier=weights.classifier.dequantise().astype(np.float32),
        rms_att=np.stack([floats(gain) for gain in weights.rms_att]),
        rms_ffn=np.stack([floats(gain) for gain in weights.rms_ffn]),
        rms_final=floats(weights.rms_final),
        shared_classifier=False,
        **matrices,
    )
