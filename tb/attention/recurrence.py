"""The softmax recurrence of golden.fixed.attention, timestep for timestep, and heads of scores that stress it."""
import random

import numpy as np

from llama2_myhdl.golden.fixed.attention import MAX_SHIFT, _weights
from llama2_myhdl.rtl.attention.lazy import STEP
from llama2_myhdl.spec.formats import SCORE_FRAC
from llama2_myhdl.spec.tables import exp2_table

LOW, HIGH = -(1 << 19), (1 << 19) - 1


def heads():
    """(scores, value exponents) of heads: extremes, steady growth and fall, jumps, one timestep, all fractions."""
    rng = random.Random(9)
    yield [LOW], [0]
    yield [HIGH], [31]
    yield [LOW, HIGH, LOW, HIGH, HIGH - 1, LOW + 1], [31, 0, 31, 0, 31, 31]
    yield list(range(-3000, 6000, 150)), list(range(30)) * 2
    yield list(range(6000, -3000, -150)), list(range(30)) * 2
    yield [0] * 20, [0] * 20
    yield list(range(0, -(1 << SCORE_FRAC), -1)), list(range(32)) * 8
    for spread in (300, 3000, 20000, HIGH):
        for _ in range(12):
            count = rng.randint(1, 40)
            yield [rng.randint(-spread, spread) for _ in range(count)], [rng.randint(0, 31) for _ in range(count)]


def split(s, p_frac):
    """(c, mantissa, m) of each score."""
    c = s + (1 << SCORE_FRAC) - 1 >> SCORE_FRAC
    mantissa = np.array(exp2_table(p_frac))[(c << SCORE_FRAC) - s]
    return c, mantissa, np.maximum.accumulate(c)


def weights(s, levels, p_frac):
    """Weight of each timestep against the running maximum of the levels, and how much that one grew."""
    c = s + (1 << SCORE_FRAC) - 1 >> SCORE_FRAC
    reference = np.maximum.accumulate(levels)
    p = _weights(np.array(exp2_table(p_frac)), (c << SCORE_FRAC) - s, reference - levels)
    return p, np.minimum(np.diff(reference, prepend=reference[0]), MAX_SHIFT)


def running(terms, growth):
    """(sum so far, scale) at each timestep; `scale` as the lazily shifted accumulator has it (lazy.py)."""
    total, scale, found = 0, 0, []
    for t, (term, n) in enumerate(zip(terms, growth)):
        total = (total >> int(n)) + term
        scale = (scale + int(n)) % STEP if t else 0
        found.append((total, scale))
    return found


def idle_before(n, t):
    """Cycles without a timestep before this one: within a head too."""
    return (0, 0, 0, 1, 0, 3, 0)[(n + t) % 7] if n % 2 else n % 3 if t == 0 else 0
