"""RMSNorm with its scalar deferred: the matvec starts on g*x, 1/rms is applied when rows are narrowed."""

from math import sqrt

import numpy as np

from llama2_myhdl.golden.fixed.arith import round_shift
from llama2_myhdl.golden.fixed.functions import rsqrt
from llama2_myhdl.rtl.config import EPS_FRAC, EXP2_FRAC, GAIN_BITS

GAIN_EXPONENT_MIN, GAIN_EXPONENT_MAX = -128, 127  # signed 8 bits on the tape


def epsilon_term(dim: int, eps: float) -> int:
    """The shape register dim * eps, unsigned with 32 fraction bits; `ModelShape` keeps it from 0 and from overflow."""
    return int(dim * eps * 2**EPS_FRAC + 0.5)


def quantise_gain(gain, dim: int):
    """Gain times sqrt(dim) (so the hardware needs no mean): int16 mantissas, one exponent, g ~ m * 2**(e-15).

    Gains that are too small for the exponent's field lose bits; those that are too large are for the caller to refuse.
    """
    g = np.asarray(gain, dtype=np.float64) * sqrt(dim)
    top = 2 ** (GAIN_BITS - 1) - 1
    peak = np.abs(g).max()
    e = int(np.ceil(np.log2(peak / top * 2 ** (GAIN_BITS - 1)))) if peak > 0 else 0
    e = max(e, GAIN_EXPONENT_MIN)
    return np.round(g * 2.0 ** (GAIN_BITS - 1 - e)).astype(np.int64), e


def scale_by_gain(x, gain):
    """g*x in F without its exponent: (x * m) / 2**15, rounded half up; cannot overflow."""
    return round_shift(np.asarray(x, dtype=np.int64) * gain, GAIN_BITS - 1)


def inverse_rms(x, eps_term: int):
    """1/sqrt(sum(x**2) + dim*eps) as (mantissa 0.16 in 32768..65536, k): r = mantissa * 2**(k - 16).

    The sum of squares is exact (F*F has 40 fraction bits), so it cannot saturate.
    """
    s = sum(int(v) * int(v) for v in np.asarray(x)) + (eps_term << (40 - EPS_FRAC))
    half = (s.bit_length() - 1) // 2  # s = m * 4**half, m in [1, 4)
    shift = 2 * half - 15
    m = s >> shift if shift >= 0 else s << -shift
    return int(rsqrt(m)), 20 - half


def largest_exponent_sum(eps_term: int) -> int:
    """Largest sum of a gain's and a row's exponent at which narrowing always shifts to the right, as it can only do.

    The rest of the shift is e + k - 16: e of the quantised g*x, k of 1/rms. Where e > 0 they balance, since both follow
    the largest element of x: their sum is at most 6. Where e = 0, k is largest for the zero vector.
    """
    _, k = inverse_rms([0], eps_term)
    return EXP2_FRAC - max(6, k)
