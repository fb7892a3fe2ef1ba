"""Sums of products in doubles are those of integers, up to the widest model and the largest factors."""

import numpy as np
import pytest

from llama2_myhdl.golden.fixed.matvec import accumulate, activation
from llama2_myhdl.spec.formats import F_MAX


@pytest.mark.parametrize("rows, cols", [(1, 1), (3, 70_000), (200, 1000)])
def test_every_sum_is_exact(rows, cols):
    rng = np.random.default_rng(cols)
    mantissa = rng.integers(-127, 128, (rows, cols), dtype=np.int8)
    vector = activation(rng.integers(-F_MAX, F_MAX, cols), 16)
    found = accumulate(mantissa, vector)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, mantissa.astype(np.int64) @ vector.mantissa)


def test_the_largest_sum_is_exact():
    cols = 1 << 18
    vector = activation(np.full(cols, F_MAX), 16)
    mantissa = np.full((1, cols), -127, np.int8)
    mantissa[0, 0] = -126
    assert int(accumulate(mantissa, vector)[0]) == -(127 * cols - 1) * int(vector.mantissa[0])
