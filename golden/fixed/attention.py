"""Streaming attention: one pass over t, softmax by a table and shifts, an integer running maximum.

Base 2 throughout (log2(e)/sqrt(head_dim) is folded into W_q). Per timestep t:
  s   = q . k_t                 signed 12.8, rounded half up, saturated
  c   = ceil(s)                 integer; f = c - s in 0 .. 255/256
  M   = max(M, c)               reference of the denominator
  R   = max(R, c + ev_t)        reference of the numerator (ev_t: exponent of value row t)
  den = (den >> growth of M) + 2**-f >> (M - c)
  num = (num >> growth of R) + (2**-f >> (R - c - ev_t)) * v_t
Result: num / den * 2**(R - M) in F.
"""

from functools import cache

import numpy as np

from llama2_myhdl.golden.fixed.arith import Tally, round_shift, saturate
from llama2_myhdl.golden.fixed.functions import reciprocal
from llama2_myhdl.spec.formats import EXP2_FRAC, F_BITS, SCORE_FRAC
from llama2_myhdl.spec.tables import exp2_table

MAX_SHIFT = 31  # of softmax weights and of accumulators
SCORE_BITS = 20
_FRACTION = (1 << SCORE_FRAC) - 1


def scores(q, qe: int, k, ke, stats: Tally | None = None):
    """s_t for all rows of `k` [t, head_dim] with exponents `ke` [t]; q [head_dim] with exponent qe; result signed 12.8.

    F has 20 fraction bits on both sides, so the exact dot product shifts right by 40 - 8 - qe - ke; left where that is
    negative, which only rows of 8 bits with their larger exponents reach.
    """
    acc = np.asarray(k, dtype=np.int64) @ np.asarray(q, dtype=np.int64)
    right = 40 - SCORE_FRAC - qe - np.asarray(ke, dtype=np.int64)
    left = np.maximum(-right, 0)
    return saturate(round_shift(acc << left, right + left), SCORE_BITS, stats)


@cache
def _exp2(p_frac: int):
    """Made once: a table takes longer than a pass over some hundred positions."""
    return np.array(exp2_table(p_frac))


def _weights(table, f, n):
    """2**-f shifted right by n (clipped to 31), rounded half up."""
    return ((table[f] << 1) >> np.minimum(n, MAX_SHIFT)) + 1 >> 1


def _accumulate(terms, reference):
    """Running sum over t that is shifted right (floor) whenever the reference grows; terms [t] or [t, d]."""
    starts = np.concatenate(([0], np.flatnonzero(reference[1:] != reference[:-1]) + 1))
    total, last = None, None
    for start, part in zip(starts, np.add.reduceat(terms, starts, axis=0)):
        total = part if total is None else (total >> min(int(reference[start] - last), MAX_SHIFT)) + part
        last = reference[start]
    return total


def softmax_sums(s, v, ve, p_frac: int):
    """Final (num [head_dim], den, R - M) of the recurrence above; v int8 [t, head_dim], ve [t]."""
    table = _exp2(p_frac)
    c = np.asarray(s) + _FRACTION >> SCORE_FRAC
    f = (c << SCORE_FRAC) - s
    m = np.maximum.accumulate(c)
    r = np.maximum.accumulate(c + ve)
    den = _accumulate(_weights(table, f, m - c), m)
    num = _accumulate(_weights(table, f, r - c - ve)[:, None] * np.asarray(v, dtype=np.int64), r)
    return num, int(den), int(r[-1] - m[-1])


def divide(num, den: int, gap: int, stats: Tally | None = None):
    """num / den * 2**gap in F: den to 1.16 (truncated), reciprocal, one multiply, round half up, saturate."""
    top = den.bit_length() - 1
    d = den >> (top - EXP2_FRAC) if top >= EXP2_FRAC else den << (EXP2_FRAC - top)
    shift = min(max(EXP2_FRAC + top - gap, 0), 63)
    return saturate(round_shift(np.asarray(num, dtype=np.int64) * int(reciprocal(d)), shift), F_BITS, stats)


def attend(q, qe: int, k, ke, v, ve, p_frac: int, stats: Tally | None = None):
    """One query head over rows 0..pos of its key/value head; returns F [head_dim]."""
    return divide(*softmax_sums(scores(q, qe, k, ke, stats), v, np.asarray(ve, dtype=np.int64), p_frac), stats)
