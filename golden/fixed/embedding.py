"""Embedding look-up: one int8 row with a power-of-two exponent, widened to F."""

import numpy as np

from llama2_myhdl.golden.fixed.arith import F_BITS, Saturations, saturate

F_FRAC = 20
EXPONENT_MIN, EXPONENT_MAX = -F_FRAC, 3  # the shift e + 20 is 0 .. 23: an int8 always fits F


def embed(mantissa, exponent: int, stats: Saturations | None = None):
    """m * 2**exponent as F [dim]; exponent -20 .. 3."""
    return saturate(np.asarray(mantissa, dtype=np.int64) << (int(exponent) + F_FRAC), F_BITS, stats)
