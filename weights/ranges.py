"""Factors moved between matrices, without any change of what a model computes, so that its values stay in F's range.

Some models have residuals far beyond what F holds, 2,048: SmolLM2's has 22,500 at the first position of every text. A
norm cancels any factor of its whole input but for epsilon, so embedding, Wo and W2 may all be smaller by a power of
two; and W3 may, if W2 is larger for it. Only exponents change.
"""

from dataclasses import replace
from math import ceil, log, log2

import numpy as np

from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.formats import EPS_FRAC, F_BITS, F_FRAC, WEIGHT_BITS
from llama2_myhdl.spec.limits import TAPE_EXPONENT_MAX, mantissa_max

_LIMIT = 2.0 ** (F_BITS - 1 - F_FRAC)  # of F
_HEADROOM = 2  # times the peaks of the text that is looked at
_SEQUENCES = 4  # of it: peaks are those of a text's first position
_EPSILON_BITS = 8  # that the register of dim * epsilon keeps


def within_range(checkpoint: Checkpoint, tokens: np.ndarray, bits: int = WEIGHT_BITS[0]) -> Checkpoint:
    """The same model with residuals and hidden vectors that fit F on texts like `tokens` [sequences, positions].

    The checkpoint itself where they do already. The classifier is then an array of its own, and the shape's `norm_eps`
    is that of the smaller residual. Errors of the float model pass.
    """
    residual, hidden = _peaks(checkpoint, tokens[:_SEQUENCES])
    shift = min(_halvings(residual), _most(checkpoint.shape))
    if not shift and not any(map(_halvings, hidden)):
        return checkpoint
    w2, w3 = np.ldexp(checkpoint.w2, -shift), checkpoint.w3.copy()
    for layer, peak in enumerate(hidden):
        room = mantissa_max(bits) * 2.0**TAPE_EXPONENT_MAX / max(float(np.abs(w2[layer]).max()), 1e-30)
        turns = min(_halvings(peak), max(0, int(log2(room))))
        w2[layer], w3[layer] = np.ldexp(w2[layer], turns), np.ldexp(w3[layer], -turns)
    return replace(
        checkpoint,
        shape=replace(checkpoint.shape, norm_eps=checkpoint.shape.norm_eps / 4**shift),
        token_embedding=np.ldexp(checkpoint.token_embedding, -shift),
        wo=np.ldexp(checkpoint.wo, -shift),
        w2=w2,
        w3=w3,
        shared_classifier=checkpoint.shared_classifier and not shift,
    )


def _peaks(checkpoint: Checkpoint, tokens: np.ndarray) -> tuple[float, list[float]]:
    """Largest magnitudes in the residual, and in the hidden vector of every layer."""
    model, residual, hidden = FloatModel(checkpoint, taps=True), 0.0, [0.0] * checkpoint.shape.n_layers
    for sequence in tokens:
        model.forward_all(sequence)
        for x in (model.taps["x_embed"], *model.taps["x_att"], *model.taps["x_layer"]):
            residual = max(residual, float(np.abs(x).max()))
        hidden = [max(peak, float(np.abs(z).max())) for peak, z in zip(hidden, model.taps["swiglu"], strict=True)]
    return residual, hidden


def _halvings(peak: float) -> int:
    """How often a value is to be halved to fit, with headroom."""
    return max(0, ceil(log2(peak * _HEADROOM / _LIMIT))) if peak > 0 else 0


def _most(shape: ModelShape) -> int:
    """Halvings of the residual that leave epsilon its bits."""
    return max(0, int(log(shape.dim * shape.norm_eps * 2.0 ** (EPS_FRAC - _EPSILON_BITS), 4)))
