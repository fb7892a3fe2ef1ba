"""Quantise a checkpoint: rounding to nearest, or error-compensated rounding calibrated on token sequences."""

import numpy as np

from golden.checkpoint import Checkpoint
from weights.quantised import LAYER_MATRICES, QuantisedCheckpoint, fold_factor
from weights.rows import QuantisedMatrix, quantise_rows, row_exponents_lsq

EMBEDDING_LIMITS = {"low": -20, "high": 3}  # an int8 shifted by 0 to 23 always fits the 12.20 residual


def round_to_nearest(checkpoint: Checkpoint, exponents=row_exponents_lsq) -> QuantisedCheckpoint:
    """Every matrix rounded by itself, without calibration; `exponents` chooses the rows' exponents."""
    shape = checkpoint.shape

    def rounded(w: np.ndarray, factor: float = 1.0, **limits: int) -> QuantisedMatrix:
        w = w.astype(np.float64) * factor
        return quantise_rows(w, exponents(w, **limits))

    matrices = {
        name: tuple(rounded(w, fold_factor(name, shape)) for w in getattr(checkpoint, name)) for name in LAYER_MATRICES
    }
    return QuantisedCheckpoint(
        shape=shape,
        embedding=rounded(checkpoint.token_embedding, **EMBEDDING_LIMITS),
        classifier=rounded(checkpoint.classifier),
        rms_att=checkpoint.rms_att,
        rms_ffn=checkpoint.rms_ffn,
        rms_final=checkpoint.rms_final,
        **matrices,
    )
