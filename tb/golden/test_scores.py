"""Scores of quantised rows against the float dot product, for both widths of activations and every size of values."""
import numpy as np
import pytest

from llama2_myhdl.golden.fixed.arith import quantise
from llama2_myhdl.golden.fixed.attention import scores
from llama2_myhdl.spec.formats import SCORE_FRAC

F_ONE, ELEMENTS, ROWS = 1 << 20, 8, 50


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("size", [0.01, 1, 12])
def test_scores(bits, size):
    rng = np.random.default_rng(bits)
    q, *k = (rng.uniform(-size, size, (1 + ROWS, ELEMENTS)) * F_ONE).astype(np.int64)
    mantissas, exponent = quantise(q, bits)
    rows = [quantise(row, bits) for row in k]
    found = scores(mantissas, exponent, [m for m, _ in rows], np.array([e for _, e in rows])) / 2**SCORE_FRAC
    exact = np.array(k) @ q / F_ONE**2
    # half a step for each element of both rows, and half one of the score
    step = max(2.0 ** exponent, *(2.0**e for _, e in rows)) / F_ONE
    assert np.abs(found - exact).max() <= ELEMENTS * size * step + 0.5 / 2**SCORE_FRAC
    assert size < 1 or np.abs(exact).max() > 2
