"""Rounding, saturation and block floating point on int64 arrays (or plain ints)."""

import numpy as np

from llama2_myhdl.spec.formats import F_FRAC


class Tally:
    """How often something happened, as a counter of the hardware has it: a value was clipped, a list too short."""

    def __init__(self):
        self.count = 0


def clip(v, low: int, high: int):
    """As np.clip, in a quarter of its time."""
    return np.minimum(np.maximum(v, low), high)


def saturate(v, bits: int, stats: Tally | None = None):
    """Clip to signed `bits`; adds the number of clipped values to `stats`."""
    hi = (1 << (bits - 1)) - 1
    out = clip(v, -hi - 1, hi)
    if stats is not None:
        stats.count += int(np.count_nonzero(out != v))
    return out


def round_shift(v, n):
    """v / 2**n, rounded half up (n >= 0, scalar or array)."""
    v = np.asarray(v, dtype=np.int64)
    if isinstance(n, int):
        return (v >> n - 1) + 1 >> 1 if n else v
    n = np.asarray(n, dtype=np.int64)
    return np.where(n > 0, (v >> np.maximum(n - 1, 0)) + 1 >> 1, v)


def bit_length(v) -> int:
    """Bits of the OR of the magnitudes (one's complement for negative values, as the hardware takes them)."""
    v = np.asarray(v, dtype=np.int64)
    return int(np.bitwise_or.reduce((v ^ (v >> 63)).ravel())).bit_length()


def quantise(v, bits: int):
    """Block floating point: returns int mantissas of `bits` bits and the exponent e >= 0, with v ~ m * 2**e.

    Small vectors pass unchanged (e = 0). Rounds half up; the one value that rounding can push over is clipped.
    """
    e = max(0, bit_length(v) - (bits - 1))
    return saturate(round_shift(v, e), bits), e


def to_float(v) -> np.ndarray:
    """F to float64."""
    return np.asarray(v, dtype=np.float64) / 2**F_FRAC
