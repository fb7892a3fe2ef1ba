"""exp2, reciprocal, 1/sqrt, sine and cosine by table, interpolation and one Newton step (integers only)."""

import numpy as np

from llama2_myhdl.golden.fixed.arith import round_shift
from llama2_myhdl.spec.formats import EXP2_FRAC, INTERP_BITS, SEED_FRAC, TABLE_BITS, UNIT
from llama2_myhdl.spec.tables import exp2_slope, exp2_table, reciprocal_seed, rsqrt_seed, sine_slope, sine_table

_EXP2, _EXP2_SLOPE = np.array(exp2_table()), np.array(exp2_slope())
_SINE, _SINE_SLOPE = np.array(sine_table()), np.array(sine_slope())
_RECIP, _RSQRT = np.array(reciprocal_seed()), np.array(rsqrt_seed())
_MAX_SHIFT = 31


def exp2_neg(u):
    """2**-u for u >= 0 in 12.20: table, linear interpolation, shift. Result 1.16 (0 .. 65536).

    Bits of u: [31:20] shift, [19:12] table index, [11:0] interpolation.
    """
    u = np.asarray(u, dtype=np.int64)
    lo = u & ((1 << INTERP_BITS) - 1)
    k = u >> INTERP_BITS & ((1 << TABLE_BITS) - 1)
    n = np.minimum(u >> (INTERP_BITS + TABLE_BITS), _MAX_SHIFT)
    t = _EXP2[k] - round_shift(_EXP2_SLOPE[k] * lo, INTERP_BITS)
    return ((t << 1) >> n) + 1 >> 1


def reciprocal(d):
    """1/d for d in [1, 2), 1.16 in (65536 .. 131071), 0.16 out (32768 .. 65536).

    y = y0 * (2 - d*y0); the bracket is truncated to 16 fraction bits, the result rounded half up: 1.0 at most, as the
    step ends below 1/d.
    """
    d = np.asarray(d, dtype=np.int64)
    y0 = _RECIP[d >> (EXP2_FRAC - TABLE_BITS) & ((1 << TABLE_BITS) - 1)]
    u = (2 << (EXP2_FRAC + SEED_FRAC)) - d * y0 >> SEED_FRAC
    return round_shift(y0 * u, SEED_FRAC)


def rsqrt(m):
    """1/sqrt(m) for m in [1, 4), 2.15 in (32768 .. 131071), 0.16 out (32768 .. 65536).

    y = y0 * (3 - m*y0*y0) / 2; y0*y0 truncated to 16 fraction bits, the bracket to 15, the result rounded half up.
    """
    m = np.asarray(m, dtype=np.int64)
    index = np.where(m >> EXP2_FRAC, 128 | m >> 9 & 127, m >> 8 & 127)
    y0 = _RSQRT[index]
    a = y0 * y0 >> (2 * SEED_FRAC - EXP2_FRAC)
    u = (3 << 31) - m * a >> 16
    return np.minimum(round_shift(y0 * u, SEED_FRAC), UNIT)


def _quarter(low):
    """sin of 0 .. a quarter turn; `low` has 30 bits: 8 index, 12 interpolation, the rest dropped."""
    k = low >> 22
    f = low >> 10 & ((1 << INTERP_BITS) - 1)
    return _SINE[k] + round_shift(_SINE_SLOPE[k] * f, INTERP_BITS)


def sine(phase):
    """sin(2*pi * phase / 2**32), signed 1.16. Odd quadrants mirror by one's complement, the lower half turn negates."""
    phase = np.asarray(phase, dtype=np.int64) & 0xFFFFFFFF
    low = phase & 0x3FFFFFFF
    low = np.where(phase >> 30 & 1, 0x3FFFFFFF - low, low)
    s = _quarter(low)
    return np.where(phase >> 31, -s, s)


def cosine(phase):
    """cos(2*pi * phase / 2**32) = sin(phase + a quarter turn)."""
    return sine(np.asarray(phase, dtype=np.int64) + (1 << 30))
