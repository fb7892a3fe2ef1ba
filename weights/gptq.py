"""Error-compensated rounding of a matrix (GPTQ, Frantar et al., arXiv 2210.17323), with power-of-two row exponents."""

import numpy as np

from llama2_myhdl.spec.formats import WEIGHT_BITS
from llama2_myhdl.spec.limits import EXPONENT_MAX, EXPONENT_MIN
from llama2_myhdl.spec.quantised import QuantisedMatrix
from llama2_myhdl.weights.rows import clipped, integers, row_exponents_lsq

DAMPING = 0.003  # of the mean diagonal: measured best of 0.001 to 0.05 on stories260K, with samples in plenty
_FEW = 0.3  # times columns over samples: with 2,048 samples 0.2 was best of 0.003 to 1 for W2 of SmolLM2-135M
_BLOCK = 64  # columns between two updates of all later columns
_ROWS = 8192  # rounded at a time: bounds the memory


def damping_of(samples: int, cols: int) -> float:
    """The damping for a Hessian of so many samples: with few of them compensation would fit what only they have."""
    return max(DAMPING, _FEW * cols / samples)


def damped(hessian: np.ndarray, damping: float = DAMPING) -> np.ndarray:
    """The Hessian with a share of its mean diagonal added; the identity where no input ever moved."""
    mean = float(np.mean(np.diag(hessian)))
    return hessian + (damping * mean if mean > 0 else 1.0) * np.eye(len(hessian))


def gptq(
    w: np.ndarray,
    hessian: np.ndarray,
    damping: float = DAMPING,
    low: int = EXPONENT_MIN,
    high: int = EXPONENT_MAX,
    bits: int = WEIGHT_BITS[0],
) -> QuantisedMatrix:
    """Round w [rows, cols] so that the layer's outputs, not the weights, stay near.

    `hessian` [cols, cols] = X^T X of the layer's inputs. Columns are rounded from the most active to the least; the
    error of each is moved to the columns still to come. Row exponents start from least squares in the Hessian's metric,
    and each row keeps the best of its exponent and both neighbours, from `low` to `high`, by the error that
    compensation leaves.
    """
    metric = damped(hessian, damping)
    order = np.argsort(-np.diag(metric), kind="stable")
    feedback = np.linalg.cholesky(np.linalg.inv(metric[np.ix_(order, order)])).T
    parts = [_round(w[i : i + _ROWS], metric, order, feedback, low, high, bits) for i in range(0, len(w), _ROWS)]
    return QuantisedMatrix(*(np.concatenate(fields) for fields in zip(*parts)))


def _round(
    w: np.ndarray, metric: np.ndarray, order: np.ndarray, feedback: np.ndarray, low: int, high: int, bits: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mantissas and exponents of some rows."""
    columns = np.ascontiguousarray(np.asarray(w, np.float64)[:, order].T)
    first = row_exponents_lsq(w, low, high, metric, bits)
    mantissa, exponent, error = None, first, None
    for trial in (first, np.maximum(first - 1, low), np.minimum(first + 1, high)):
        trial_mantissa, trial_error = _compensate(columns, feedback, trial, bits)
        if mantissa is None:
            mantissa, error = trial_mantissa, trial_error
            continue
        better = trial_error < error
        mantissa[:, better] = trial_mantissa[:, better]
        exponent, error = np.where(better, trial, exponent), np.minimum(error, trial_error)
    restored = np.empty_like(mantissa)
    restored[order] = mantissa
    return integers(np.ascontiguousarray(restored.T), bits), exponent.astype(np.int8)


def _compensate(
    columns: np.ndarray, feedback: np.ndarray, exponent: np.ndarray, bits: int
) -> tuple[np.ndarray, np.ndarray]:
    """One pass over columns [cols, rows]: mantissas [cols, rows] and the remaining error of each row."""
    pending = np.ldexp(columns, -exponent)
    mantissa, moved = np.empty_like(pending), np.empty_like(pending)
    for start in range(0, len(pending), _BLOCK):
        stop = min(start + _BLOCK, len(pending))
        for j in range(start, stop):
            mantissa[j] = clipped(pending[j], bits)
            moved[j] = (pending[j] - mantissa[j]) / feedback[j, j]
            pending[j + 1 : stop] -= feedback[j, j + 1 : stop, None] * moved[j]
        pending[stop:] -= feedback[start:stop, stop:].T @ moved[start:stop]
    return mantissa, np.ldexp(np.sum(moved * moved, axis=0), 2 * exponent)
