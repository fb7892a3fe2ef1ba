"""RMSNorm with its scalar deferred: the matvec starts on g*x, 1/rms is applied when rows are narrowed."""

import numpy as np

from llama2_myhdl.golden.fixed.arith import round_shift
from llama2_myhdl.golden.fixed.functions import rsqrt
from llama2_myhdl.spec.formats import EPS_FRAC, F_FRAC, GAIN_BITS


def scale_by_gain(x, gain):
    """g*x in F without its exponent: (x * m) / 2**15, rounded half up; cannot overflow."""
    return round_shift(np.asarray(x, dtype=np.int64) * gain, GAIN_BITS - 1)


def inverse_rms(x, eps_term: int):
    """1/sqrt(sum(x**2) + dim*eps) as (mantissa 0.16 in 32768..65536, k): r = mantissa * 2**(k - 16).

    The sum of squares is exact (F*F has 40 fraction bits), so it cannot saturate.
    """
    s = sum(int(v) * int(v) for v in np.asarray(x)) + (eps_term << (2 * F_FRAC - EPS_FRAC))
    half = (s.bit_length() - 1) // 2  # s = m * 4**half, m in [1, 4)
    shift = 2 * half - 15
    m = s >> shift if shift >= 0 else s << -shift
    return int(rsqrt(m)), F_FRAC - half
