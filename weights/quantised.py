"""The quantised model that the integer model runs and the packer lays out on the tape."""

from dataclasses import dataclass
from math import e, log2, sqrt

import numpy as np

from llama2_myhdl.golden.checkpoint import Checkpoint
from llama2_myhdl.golden.fixed.norm import quantise_gain
from llama2_myhdl.rtl.config import ModelShape
from llama2_myhdl.weights.field import fitted
from llama2_myhdl.weights.limits import exponent_limits, gain_exponent_max
from llama2_myhdl.weights.rows import QuantisedMatrix

LOG2E = log2(e)
LAYER_MATRICES = ("wq", "wk", "wv", "wo", "w1", "w2", "w3")


def fold_factor(name: str, shape: ModelShape) -> float:
    """What a matrix is multiplied by before rounding: attention scores and the SwiGLU's sigmoid then live in base 2.

    silu(h1) * h3 = h1' * sigma2(h1') * h3' with h1' = h1 * log2(e), h3' = h3 / log2(e), sigma2(u) = 1 / (1 + 2**-u).
    """
    return {"wq": LOG2E / sqrt(shape.head_dim), "w1": LOG2E, "w3": 1 / LOG2E}.get(name, 1.0)


@dataclass(frozen=True)
class QuantisedCheckpoint:
    """Matrices with row exponents, one a layer in tuples; norm gains stay apart in float32 ([L, dim], rms_final [dim]).

    wq, w1 and w3 carry their `fold_factor`. The classifier is an image of its own even where the checkpoint shares it.
    Exponents that the hardware cannot take are a ModelError.
    """

    shape: ModelShape
    embedding: QuantisedMatrix
    rms_att: np.ndarray
    wq: tuple[QuantisedMatrix, ...]
    wk: tuple[QuantisedMatrix, ...]
    wv: tuple[QuantisedMatrix, ...]
    wo: tuple[QuantisedMatrix, ...]
    rms_ffn: np.ndarray
    w1: tuple[QuantisedMatrix, ...]
    w2: tuple[QuantisedMatrix, ...]
    w3: tuple[QuantisedMatrix, ...]
    rms_final: np.ndarray
    classifier: QuantisedMatrix

    def __post_init__(self):
        gains = {"rms_final": self.rms_final}
        gains |= {f"{name}[layer {n}]": g for name in ("rms_att", "rms_ffn") for n, g in enumerate(getattr(self, name))}
        for name, gain in gains.items():
            _, exponent = quantise_gain(gain, self.shape.dim)
            fitted(exponent, "i1", f"{name} exponent", high=gain_exponent_max(self.shape))
        for name in ("embedding", "classifier"):
            fitted(getattr(self, name).exponent, "i1", f"{name} exponent of row", **exponent_limits(self, name))
        for name in LAYER_MATRICES:
            for layer, matrix in enumerate(getattr(self, name)):
                what = f"{name}[layer {layer}] exponent of row"
                fitted(matrix.exponent, "i1", what, **exponent_limits(self, name, layer))

    def dequantise(self) -> Checkpoint:
        """A float checkpoint of the rounded weights, folding undone: for the float model ("weights only")."""
        matrices = {
            name: np.stack([m.dequantise() / fold_factor(name, self.shape) for m in getattr(self, name)])
            for name in LAYER_MATRICES
        }
        return Checkpoint(
            shape=self.shape,
            token_embedding=self.embedding.dequantise(),
            classifier=self.classifier.dequantise(),
            rms_att=self.rms_att,
            rms_ffn=self.rms_ffn,
            rms_final=self.rms_final,
            shared_classifier=False,
            **matrices,
        )
