"""Quantise a checkpoint: rounding to nearest, or error-compensated rounding calibrated on token sequences."""

import numpy as np

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.golden.sampling import CALIBRATION_SEED, sample_texts
from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.spec.formats import WEIGHT_BITS
from llama2_myhdl.spec.limits import embedding_limits
from llama2_myhdl.spec.quantised import LAYER_MATRICES, QuantisedCheckpoint, QuantisedMatrix
from llama2_myhdl.weights.calibrated import quantise_calibrated
from llama2_myhdl.weights.folding import exponent_limits, fold_factor, quantised_gains
from llama2_myhdl.weights.range_check import check_weights
from llama2_myhdl.weights.ranges import within_range
from llama2_myhdl.weights.rows import quantise_rows, row_exponents_lsq

CALIBRATION_SEQUENCES = 64
CALIBRATION_WORK = 64 * 2**20  # sequences times parameters, so that a large model's sampling ends in minutes
CALIBRATION_LENGTH = 512
COMPENSATED = (8,)  # bits of a weight; an error of 16 is 256 times smaller, minutes of work would win nothing
LEAST = (8, 256)  # sequences and their length where that allows fewer: the positions of four in half the steps


def quantise_checkpoint(
    checkpoint: Checkpoint,
    calibration_tokens: np.ndarray | None = None,
    gptq: bool = True,
    bits: int = WEIGHT_BITS[0],
) -> QuantisedCheckpoint:
    """The quantised model: mantissas of so many bits, one power-of-two exponent a row. Deterministic.

    `calibration_tokens` [sequences, positions] default to text sampled from the model itself with a fixed seed. They
    show which range values need, and what error compensation must keep; weights of 16 bits are rounded to nearest. With
    `gptq=False` every matrix is rounded to nearest and no tokens are needed. Raises ModelError for unfit tokens,
    and for weights that are too large for the hardware before any work is done.
    """
    if not gptq:
        return round_to_nearest(checkpoint, bits=bits)
    check_weights(checkpoint, bits)
    if calibration_tokens is None:
        calibration_tokens = default_calibration(checkpoint)
    calibration_tokens = np.asarray(calibration_tokens)
    if calibration_tokens.ndim != 2 or calibration_tokens.size == 0:
        raise ModelError(f"calibration tokens must be [sequences, positions], have shape {calibration_tokens.shape}")
    if calibration_tokens.min() < 0 or calibration_tokens.max() >= checkpoint.shape.vocab_size:
        raise ModelError(
            f"calibration tokens must be 0 to {checkpoint.shape.vocab_size - 1}, "
            f"are {calibration_tokens.min()} to {calibration_tokens.max()}"
        )
    checkpoint = within_range(checkpoint, calibration_tokens, bits)
    if bits not in COMPENSATED:
        return round_to_nearest(checkpoint, bits=bits)
    embedding = quantise_rows(checkpoint.token_embedding, bits=bits, **embedding_limits(bits))
    return quantise_calibrated(checkpoint, embedding, calibration_tokens)


def default_calibration(checkpoint: Checkpoint) -> np.ndarray:
    """Sequences sampled from the model itself."""
    sequences, length = min(CALIBRATION_SEQUENCES, CALIBRATION_WORK // checkpoint.shape.macs()), CALIBRATION_LENGTH
    if sequences < LEAST[0]:
        sequences, length = LEAST
    return sample_texts(FloatModel(checkpoint), sequences, min(length, checkpoint.shape.seq_len), CALIBRATION_SEED)


def round_to_nearest(
    checkpoint: Checkpoint, exponents=row_exponents_lsq, bits: int = WEIGHT_BITS[0]
) -> QuantisedCheckpoint:
    """Every matrix rounded by itself, without calibration; `exponents` chooses the rows' exponents.

    Raises ModelError for weights that are too large for the hardware.
    """
    check_weights(checkpoint, bits)
    shape = checkpoint.shape

    def rounded(w: np.ndarray, name: str, layer: int | None = None) -> QuantisedMatrix:
        w = w.astype(np.float64) * fold_factor(name, shape)
        return quantise_rows(w, exponents(w, bits=bits, **exponent_limits(checkpoint, name, layer, bits)), bits)

    matrices = {
        name: tuple(rounded(w, name, layer) for layer, w in enumerate(getattr(checkpoint, name)))
        for name in LAYER_MATRICES
    }
    return QuantisedCheckpoint(
        shape=shape,
        stops=checkpoint.stops,
        embedding=rounded(checkpoint.token_embedding, "embedding"),
        classifier=rounded(checkpoint.classifier, "classifier"),
        **quantised_gains(checkpoint),
        **matrices,
    )
