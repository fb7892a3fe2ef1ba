"""Embedding look-up: one row with a power-of-two exponent, widened to F."""

import numpy as np

from llama2_myhdl.golden.fixed.arith import Tally, saturate
from llama2_myhdl.spec.formats import F_BITS, F_FRAC


def embed(mantissa, exponent: int, stats: Tally | None = None):
    """m * 2**exponent as F [dim]; exponent within `embedding_limits`."""
    return saturate(np.asarray(mantissa, dtype=np.int64) << (int(exponent) + F_FRAC), F_BITS, stats)
