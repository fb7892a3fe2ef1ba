"""Rows of int8 or int16 mantissas with one power-of-two exponent each: W[r] ~ mantissa[r] * 2**exponent[r]."""

import numpy as np

from llama2_myhdl.spec.formats import WEIGHT_BITS
from llama2_myhdl.spec.limits import EXPONENT_MAX, EXPONENT_MIN, mantissa_max
from llama2_myhdl.spec.quantised import QuantisedMatrix


def integers(mantissa: np.ndarray, bits: int) -> np.ndarray:
    """Mantissas, whole numbers that fit, as integers of so many bits."""
    return mantissa.astype(f"i{bits // 8}")


def row_exponents_max(
    w: np.ndarray, low: int = EXPONENT_MIN, high: int = EXPONENT_MAX, bits: int = WEIGHT_BITS[0]
) -> np.ndarray:
    """The smallest exponents [rows] at which no mantissa of its row is clipped; 0 for a row of zeros."""
    peak = np.abs(w).max(axis=1)
    exponent = np.zeros(len(w), int)
    # of 8 bits, 127.5 would round to 128: the peak itself must not exceed 127 * 2**e
    exponent[peak > 0] = np.ceil(np.log2(peak[peak > 0] / mantissa_max(bits))).astype(int)
    return np.clip(exponent, low, high)


def clipped(mantissa: np.ndarray, bits: int) -> np.ndarray:
    """The nearest mantissas (float, whole numbers) of so many bits."""
    most = mantissa_max(bits)
    return np.clip(np.round(mantissa), -most, most)


def round_rows(w: np.ndarray, exponent: np.ndarray, bits: int = WEIGHT_BITS[0]) -> np.ndarray:
    """Mantissas (float, whole numbers) of w at the given row exponents."""
    return clipped(np.ldexp(w, -exponent[:, None]), bits)


def row_exponents_lsq(
    w: np.ndarray,
    low: int = EXPONENT_MIN,
    high: int = EXPONENT_MAX,
    metric: np.ndarray | None = None,
    bits: int = WEIGHT_BITS[0],
) -> np.ndarray:
    """Exponents [rows] of the least squared error: clipping a few large weights may pay for a finer step.

    `metric` [cols, cols] weighs an error row d as d @ metric @ d (the Hessian of the inputs); plain squares without.
    """
    w = np.asarray(w, np.float64)
    largest = row_exponents_max(w, low, high, bits)
    candidates = [np.clip(largest - step, low, high) for step in range(4)]
    errors = []
    for exponent in candidates:
        d = np.ldexp(round_rows(w, exponent, bits), exponent[:, None]) - w
        errors.append(np.sum(d * (d if metric is None else d @ metric), axis=1))
    return np.choose(np.argmin(errors, axis=0), candidates)


def quantise_rows(
    w: np.ndarray, exponent: np.ndarray | None = None, bits: int = WEIGHT_BITS[0], **limits: int
) -> QuantisedMatrix:
    """Round w [rows, cols] to nearest, at the least-squares exponents unless others are given."""
    w = np.asarray(w, np.float64)
    if exponent is None:
        exponent = row_exponents_lsq(w, bits=bits, **limits)
    return QuantisedMatrix(integers(round_rows(w, exponent, bits), bits), exponent.astype(np.int8))
