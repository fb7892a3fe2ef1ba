"""Threefry-2x32 against the answers that its authors publish, and against plain integers."""

import numpy as np
import pytest

from llama2_myhdl.golden.fixed.threefry import threefry2x32
from tb.golden.sampler_oracle import words

ALL = 0xFFFFFFFF
KNOWN = [  # key, counter, words
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((ALL, ALL), (ALL, ALL), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]


@pytest.mark.parametrize(("key", "counter", "answer"), KNOWN)
def test_known_answers(key, counter, answer):
    assert tuple(int(word) for word in threefry2x32(key, counter)) == answer
    assert words(*key, *counter) == answer


def test_arrays():
    """Keys and counters broadcast; words wrap."""
    rng = np.random.default_rng(1)
    key, items, positions = rng.integers(0, 1 << 32, (2, 4, 1)), rng.integers(0, 1 << 32, 50), 7
    x0, x1 = threefry2x32(key, (items, positions))
    assert x0.shape == x1.shape == (4, 50) and x0.dtype == x1.dtype == np.uint32
    for row in range(4):
        expected = [words(int(key[0, row, 0]), int(key[1, row, 0]), int(item), positions) for item in items]
        assert list(zip(x0[row].tolist(), x1[row].tolist())) == expected


def test_each_word_counts():
    """A flipped bit of any of the four words changes about half of the bits."""
    rng = np.random.default_rng(2)
    given = rng.integers(0, 1 << 32, (4, 1000))
    before = np.array(threefry2x32(given[:2], given[2:]))
    for place in range(4):
        for bit in (0, 13, 31):
            flipped = given.copy()
            flipped[place] ^= 1 << bit
            changed = np.bitwise_count(before ^ np.array(threefry2x32(flipped[:2], flipped[2:])))
            assert abs(changed.mean() - 16) < 0.3
