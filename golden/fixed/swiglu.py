"""SwiGLU: z = h1 * sigma(h1) * h3, sigma(u) = 1 / (1 + 2**-u) (log2(e) is folded into W1, its inverse into W3)."""

import numpy as np

from llama2_myhdl.golden.fixed.arith import Tally, round_shift, saturate
from llama2_myhdl.golden.fixed.functions import exp2_neg, reciprocal
from llama2_myhdl.spec.formats import EXP2_FRAC, F_BITS, UNIT

F_FRAC = 20


def sigmoid2(u):
    """1 / (1 + 2**-u), u in F; result 0.16 (0 .. 65536). Computed on |u|, mirrored for negative u."""
    u = np.asarray(u, dtype=np.int64)
    d = np.minimum(UNIT + exp2_neg(np.abs(u)), 2 * UNIT - 1)
    y = reciprocal(d)
    return np.where(u < 0, UNIT - y, y)


def swiglu(h1, h3, stats: Tally | None = None):
    """F in, F out, elementwise: silu rounds half up to F, the product with h3 rounds half up and saturates."""
    h1, h3 = np.asarray(h1, dtype=np.int64), np.asarray(h3, dtype=np.int64)
    silu = round_shift(h1 * sigmoid2(h1), EXP2_FRAC)
    return saturate(round_shift(silu * h3, F_FRAC), F_BITS, stats)
