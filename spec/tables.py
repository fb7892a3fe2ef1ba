"""The four look-up tables of the datapath, as tuples of plain ints (ROM contents for the RTL, data for the integer
model).

All have 256 entries, all mantissas have 16 fraction bits unless said otherwise.
"""

from functools import cache
from math import pi, sin, sqrt

from llama2_myhdl.spec.formats import EXP2_FRAC, SEED_FRAC, TABLE_BITS

SIZE = 1 << TABLE_BITS


def _round(x: float) -> int:
    return int(x + 0.5)


def exp2_entry(k: int, frac: int = EXP2_FRAC) -> int:
    """2**(-k/256) with `frac` fraction bits."""
    return _round(2.0 ** (frac - k / SIZE))


@cache
def exp2_table(frac: int = EXP2_FRAC) -> tuple:
    """2**(-k/256), k = 0..255: values 2**frac down to just above 2**(frac-1)."""
    return tuple(exp2_entry(k, frac) for k in range(SIZE))


def exp2_slope(frac: int = EXP2_FRAC) -> tuple:
    """Entry k minus entry k+1: the drop that linear interpolation shares out."""
    return tuple(exp2_entry(k, frac) - exp2_entry(k + 1, frac) for k in range(SIZE))


def sine_table() -> tuple:
    """sin over a quarter turn, sin(k/256 * pi/2)."""
    return tuple(_round(sin(k / SIZE * pi / 2) * 2**EXP2_FRAC) for k in range(SIZE))


def sine_slope() -> tuple:
    """Entry k+1 minus entry k (entry 256 is 1.0)."""
    s = sine_table() + (1 << EXP2_FRAC,)
    return tuple(s[k + 1] - s[k] for k in range(SIZE))


def reciprocal_seed() -> tuple:
    """1/d at the middle of each of 256 intervals of d in [1, 2), SEED_FRAC fraction bits."""
    return tuple(_round(2**SEED_FRAC / (1 + (k + 0.5) / SIZE)) for k in range(SIZE))


def rsqrt_seed() -> tuple:
    """1/sqrt(m): entries 0..127 for m in [1, 2), 128..255 for m in [2, 4), SEED_FRAC fraction bits."""
    half = SIZE // 2
    low = [1 + (k + 0.5) / half for k in range(half)]
    return tuple(_round(2**SEED_FRAC / sqrt(m)) for m in low + [2 * m for m in low])
