"""Refuses a model with weights that are too large for the hardware's formats, before any work is done on it."""

from collections.abc import Iterator
from math import sqrt

import numpy as np

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.spec.limits import TAPE_EXPONENT_MAX, gain_exponent_max, mantissa_max, norm_in_front
from llama2_myhdl.spec.quantised import LAYER_MATRICES
from llama2_myhdl.weights.folding import exponent_limits, fold_factor

_GAIN_TOP = 1 - 2.0**-15  # largest int16 mantissa


def check_weights(checkpoint: Checkpoint, bits: int) -> None:
    """ModelError, naming the tensor, the limit and the value, for the first weight that no format can hold.

    Small weights, even all of them, only lose bits.
    """
    shape = checkpoint.shape
    limit = _GAIN_TOP * 2.0 ** gain_exponent_max(shape) / sqrt(shape.dim)
    for name, gain in _gains(checkpoint):
        _refuse(name, "element", np.abs(gain), limit)
    for name, layer, w in _matrices(checkpoint):
        high = exponent_limits(checkpoint, name, layer, bits)["high"]
        limit = mantissa_max(bits) * 2.0**high / fold_factor(name, shape)
        peaks = np.maximum(w.max(axis=1), -w.min(axis=1))
        why = f", behind the large gains of {norm_in_front(name)}" if high < TAPE_EXPONENT_MAX else ""
        _refuse(name if layer is None else f"{name}[layer {layer}]", "row", peaks, limit, why)


def _refuse(what: str, part: str, peaks: np.ndarray, limit: float, why: str = "") -> None:
    """peaks: magnitudes, of one element or row each."""
    bad = np.flatnonzero(~(peaks.astype(np.float64) <= limit))
    if len(bad):
        place, peak = bad[0], peaks[bad[0]]
        raise ModelError(f"{what} {part} {place}: must be at most {limit:.5g} in magnitude, is {peak:.5g}{why}")


def _gains(checkpoint: Checkpoint) -> Iterator[tuple[str, np.ndarray]]:
    for name in ("rms_att", "rms_ffn"):
        for layer, gain in enumerate(getattr(checkpoint, name)):
            yield f"{name}[layer {layer}]", gain
    yield "rms_final", checkpoint.rms_final


def _matrices(checkpoint: Checkpoint) -> Iterator[tuple[str, int | None, np.ndarray]]:
    yield "token_embedding", None, checkpoint.token_embedding
    for name in LAYER_MATRICES:
        for layer, w in enumerate(getattr(checkpoint, name)):
            yield name, layer, w
    yield "classifier", None, checkpoint.classifier
