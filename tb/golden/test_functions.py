"""The integer functions and constants against float64, in units of the last place (ULP).

The RTL reads the same tables as the integer model, so comparing those two cannot show a wrong table: this can. Bounds
are the measured worst cases, rounded up a little; where a function has few enough arguments, all are tried.
"""

from math import pi

import numpy as np
import pytest

from llama2_myhdl.golden.fixed import functions
from llama2_myhdl.golden.fixed.arith import bit_length
from llama2_myhdl.golden.fixed.norm import inverse_rms, scale_by_gain
from llama2_myhdl.golden.fixed.rope import angles
from llama2_myhdl.spec.constants import GAIN_EXPONENT_MIN, epsilon_term, frequencies
from llama2_myhdl.spec.limits import largest_exponent_sum
from llama2_myhdl.weights.folding import quantise_gain

ONE = 1 << 16  # results have 16 fraction bits
TURN = 1 << 32
STEPS = 256  # entries of a table
EXACT = 0.5  # a rounded value
EXP2, RECIPROCAL, RSQRT, SINE = (-0.985, 0.995), (-1.64, 0.49), (-1.66, 1.39), (-1.25, 1.25)
INVERSE_RMS = (-1.4, 1.6)


def within(actual, expected, bounds):
    """actual - expected lies inside the bounds, everywhere; returns how many were compared."""
    error = np.asarray(actual, np.float64) - expected
    low, high = float(error.min()), float(error.max())
    print(f"{error.size} values, {low:+.4f} to {high:+.4f} ULP")
    assert bounds[0] <= low and high <= bounds[1]
    return error.size


def random_words():
    return np.random.default_rng(1).integers(0, TURN, 200_000)


def check_exp2():
    """Every fraction at shifts of 0 and 1; every entry and both ends of its interpolation at all; random arguments."""
    fraction = np.arange(2 << 20)
    ends = np.arange(0, 40 << 20, 1 << 12)
    u = np.concatenate((fraction, ends, ends + 1, ends + 4095, random_words(), [TURN - 1]))
    assert within(functions.exp2_neg(u), 2.0 ** (16 - u / 2**20), EXP2) > 2 << 20
    entries = np.arange(0, 1 << 20, 1 << 12)
    assert within(functions.exp2_neg(entries), 2.0 ** (16 - entries / 2**20), (-EXACT, EXACT)) == STEPS


def check_reciprocal():
    """Every argument."""
    d = np.arange(ONE, 2 * ONE)
    assert within(functions.reciprocal(d), ONE * ONE / d, RECIPROCAL) == ONE


def check_rsqrt():
    """Every argument."""
    m = np.arange(ONE // 2, 2 * ONE)
    assert within(functions.rsqrt(m), ONE / np.sqrt(m / (ONE // 2)), RSQRT) == 3 * ONE // 2


def check_sine():
    """Every phase whose upper 22 bits differ, with the lower ones 0 and 1; random phases; the entries themselves."""
    phase = np.arange(0, TURN, 1 << 10)
    for p in (phase, phase + 1023, random_words()):
        assert within(functions.sine(p), ONE * np.sin(2 * pi * p / TURN), SINE) == p.size
    entries = np.arange(STEPS) << 22
    assert within(functions.sine(entries), ONE * np.sin(2 * pi * entries / TURN), (-EXACT, EXACT)) == STEPS


def check_cosine():
    """As `check_sine`, at a quarter of the phases."""
    phase = np.arange(0, TURN, 1 << 12)
    for p in (phase, phase + 1023, phase + 4095, random_words()):
        assert within(functions.cosine(p), ONE * np.cos(2 * pi * p / TURN), SINE) == p.size


CHECKS = {
    "exp2": (check_exp2, ("_EXP2", "_EXP2_SLOPE")),
    "reciprocal": (check_reciprocal, ("_RECIP",)),
    "rsqrt": (check_rsqrt, ("_RSQRT",)),
    "sine": (check_sine, ("_SINE", "_SINE_SLOPE")),
    "cosine": (check_cosine, ("_SINE", "_SINE_SLOPE")),
}
TABLES = [(name, table) for name, (_, tables) in CHECKS.items() for table in tables]


@pytest.mark.parametrize("name", CHECKS)
def test_function(name):
    CHECKS[name][0]()


@pytest.mark.parametrize("by", [1, -1])
@pytest.mark.parametrize(("name", "table"), TABLES)
def test_a_shifted_table_is_seen(name, table, by, monkeypatch):
    """Each entry is its neighbour's; the one at the end stays."""
    entries = getattr(functions, table)
    places = np.clip(np.arange(STEPS) + by, 0, STEPS - 1)
    assert entries.shape == (STEPS,)
    monkeypatch.setattr(functions, table, entries[places])
    with pytest.raises(AssertionError):
        CHECKS[name][0]()


@pytest.mark.parametrize("table", ["_EXP2", "_SINE"])
def test_one_entry_off_by_one_is_seen(table, monkeypatch):
    entries = getattr(functions, table).copy()
    entries[100] += 1
    monkeypatch.setattr(functions, table, entries)
    with pytest.raises(AssertionError):
        CHECKS[table[1:].lower()][0]()


@pytest.mark.parametrize("theta", [100.0, 10_000.0, 500_000.0])
@pytest.mark.parametrize("head_dim", [2, 6, 8, 48, 64, 128])
def test_rope_frequencies(head_dim, theta):
    """Radians a position are theta**(-2i/head_dim), as fractions of a turn; angles stay right over long contexts."""
    radians = np.exp(-np.log(theta) * np.arange(0, head_dim, 2) / head_dim)
    freqs = frequencies(head_dim, theta)
    # float64 itself is off by up to 1e-6 here
    assert within(freqs, radians / (2 * pi) * TURN, (-EXACT - 1e-5, EXACT + 1e-5)) == head_dim // 2
    for pos in (0, 1, 2, 255, 1023, 4095):
        drift = pos * EXACT * 2 * pi / TURN * ONE  # of a rounded frequency
        bounds = (SINE[0] - drift, SINE[1] + drift)
        cos, sin = angles(pos, freqs)
        assert within(cos, ONE * np.cos(pos * radians), bounds) == head_dim // 2
        assert within(sin, ONE * np.sin(pos * radians), bounds) == head_dim // 2


def test_epsilon_term():
    dims, epsilons = np.array([1, 2, 6, 16, 48, 64, 288, 512, 768, 4096]), (0.0, 1e-6, 1e-5, 1e-3)
    for eps in epsilons:
        terms = [epsilon_term(int(dim), eps) for dim in dims]
        assert within(terms, dims * eps * 2.0**32, (-EXACT, EXACT)) == len(dims)


def test_inverse_rms():
    """1/sqrt(sum of squares + dim * eps) of vectors of every size, in units of the mantissa's last place."""
    rng, mantissas, expected = np.random.default_rng(2), [], []
    for span in range(33):
        for dim in 10 * (1, 2, 15, 64):
            x = rng.integers(-(1 << 31), 1 << 31, dim) >> span
            mantissa, k = inverse_rms(x, epsilon_term(dim, 1e-5))
            assert ONE // 2 <= mantissa <= ONE
            mantissas.append(mantissa)
            exact = 1 / np.sqrt(np.sum((x / 2**20) ** 2) + dim * 1e-5)
            expected.append(exact * 2.0 ** (16 - k))
    assert within(mantissas, expected, INVERSE_RMS) == 33 * 40


@pytest.mark.parametrize("eps", [2.0**-33, 1e-9, 1e-5, 0.5])
def test_largest_exponent_sum(eps):
    """At the largest sum of exponents no vector, whatever its gains, asks narrowing for a shift to the left; one more
    and some vector does."""
    rng, least = np.random.default_rng(4), 99
    for span in range(33):
        for dim in 10 * (1, 2, 15):
            x = rng.integers(-(1 << 31), 1 << 31, dim) >> span
            gain = rng.integers(-0x7FFF, 0x8000, dim) if dim > 2 else np.full(dim, 0x7FFF)
            term = epsilon_term(1, eps)
            exponent = max(0, bit_length(scale_by_gain(x, gain)) - 15)
            _, k = inverse_rms(x, term)
            least = min(least, 16 - (largest_exponent_sum(term) + exponent + k))
    assert least == 0


def test_a_zero_vector_without_epsilon():
    """The register of an epsilon of 0 is refused with the shape; in hardware it does no harm: 1/rms is 1.0 * 2**21."""
    assert inverse_rms([0, 0], 0) == (ONE, 21)


def test_tiny_gains():
    """Down to the smallest float32 the exponent stays in its field."""
    for gain in (1e-30, 1e-38, 1e-45, 0.0):
        mantissa, exponent = quantise_gain(np.full(4, gain, np.float32), 4)
        assert exponent >= GAIN_EXPONENT_MIN
        np.testing.assert_allclose(mantissa * 2.0 ** (exponent - 15), 2 * np.float64(np.float32(gain)), 1e-2, 2e-43)
