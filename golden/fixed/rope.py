"""Rotary position embedding from a wrapping phase: position * frequency modulo one turn (2**32)."""

import numpy as np

from llama2_myhdl.golden.fixed.arith import Tally, round_shift, saturate
from llama2_myhdl.golden.fixed.functions import cosine, sine
from llama2_myhdl.spec.formats import EXP2_FRAC, F_BITS, PHASE_BITS


def angles(pos: int, freqs):
    """(cosine, sine) of every pair at `pos`, signed 1.16."""
    phase = np.array([pos * f % 2**PHASE_BITS for f in freqs], dtype=np.int64)
    return cosine(phase), sine(phase)


def rope(v, cos, sin, stats: Tally | None = None):
    """Turn the interleaved pairs (2i, 2i+1) of every head in `v` [heads * head_dim]; F in, F out.

    Both products of a sum are added exactly, then rounded half up and saturated.
    """
    a, b = np.asarray(v, dtype=np.int64).reshape(-1, len(cos), 2).transpose(2, 0, 1)
    out = np.stack((a * cos - b * sin, a * sin + b * cos), axis=-1)
    return saturate(round_shift(out, EXP2_FRAC), F_BITS, stats).reshape(-1)
