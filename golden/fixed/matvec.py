"""Matrix times vector: int8 or int16 rows, int16 activation mantissas, exact accumulator, one narrowing per row."""

from dataclasses import dataclass

import numpy as np

from llama2_myhdl.golden.fixed.arith import Tally, clip, quantise, round_shift, saturate
from llama2_myhdl.spec.formats import EXP2_FRAC, F_BITS, UNIT

MAX_SHIFT = 63
_ELEMENTS = 1 << 16  # of a matrix as doubles at a time: they stay in the cache


@dataclass(frozen=True)
class Activation:
    """What the activation buffer holds for one vector: mantissas, and the scalar that narrowing applies.

    value = mantissa * factor * 2**(scale - 20), factor 0.16 (65536 = 1.0 with scale including the -16).
    """

    mantissa: np.ndarray
    factor: int
    scale: int


def activation(v, bits: int, factor: int = UNIT, factor_exponent: int = 0) -> Activation:
    """Quantise an F vector; `factor * 2**(factor_exponent - 16)` (1/rms, gains' exponent) multiplies every result."""
    m, e = quantise(v, bits)
    return Activation(m, factor, e + factor_exponent - EXP2_FRAC)


def accumulate(mantissa, act: Activation):
    """Exact integer dot products [rows].

    They are made of doubles, in which BLAS is many times as fast as numpy with integers: an accumulator has at most
    `spec.config.MAX_ACC_BITS` bits, so every partial sum is a whole number below 2**53, which a double holds exactly.
    """
    mantissa, vector = np.asarray(mantissa), np.asarray(act.mantissa, dtype=np.float64)
    rows = max(1, _ELEMENTS // mantissa.shape[1])
    sums = np.empty(len(mantissa), np.int64)
    for first in range(0, len(mantissa), rows):
        sums[first : first + rows] = mantissa[first : first + rows].astype(np.float64) @ vector
    return sums


def narrow(acc, exponent, act: Activation, stats: Tally | None = None):
    """acc * factor shifted right by -(row exponent + scale), clipped to 0..63; round half up; saturate to F."""
    shift = clip(-(np.asarray(exponent, dtype=np.int64) + act.scale), 0, MAX_SHIFT)
    return saturate(round_shift(np.asarray(acc, dtype=np.int64) * act.factor, shift), F_BITS, stats)


def matvec(matrix, act: Activation, stats: Tally | None = None):
    """All rows of `matrix` (fields mantissa [rows, cols], exponent [rows]); result F [rows]."""
    return narrow(accumulate(matrix.mantissa, act), matrix.exponent, act, stats)
