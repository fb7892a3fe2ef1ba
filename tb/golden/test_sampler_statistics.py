"""The sampler's draws from the shipped model's logits against float64: `make sampler` with fewer; faults are seen."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest

from llama2_myhdl.golden.fixed import sampler, threefry
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.golden.sampler_statistics import (
    SETTINGS,
    allowed,
    chi_square,
    exact,
    faults,
    implied,
    logit_vectors,
    noise,
    run,
    survival,
    total_variation,
)
from llama2_myhdl.golden.sampling import EVALUATION_SEED, sample_texts
from llama2_myhdl.readers.checkpoint import read_checkpoint
from llama2_myhdl.spec.sampling import LIST, Sampling
from llama2_myhdl.weights.models import DEFAULT
from llama2_myhdl.weights.quantise import quantise_checkpoint

ONE = 1 << 20
DRAWS, VECTORS, LENGTH = 20_000, 6, 80


@pytest.fixture(scope="module")
def vectors():
    """At those positions of a text at which the most is left open: the shipped model is certain at most of them."""
    checkpoint = read_checkpoint(DEFAULT / "model.bin")
    text = sample_texts(FloatModel(checkpoint), 1, LENGTH, EVALUATION_SEED)[0]
    found = logit_vectors(quantise_checkpoint(checkpoint, gptq=False), text.tolist(), LENGTH)
    open_ones = sorted(found, key=lambda name: exact(found[name], Sampling(1.0)).max())[:VECTORS]
    return {name: found[name] for name in open_ones}


def runs_of(vectors, settings=SETTINGS, draws=DRAWS):
    """Each setting with each vector, a stream each."""
    pairs = [(vector, setting) for vector in vectors for setting in settings]
    return [
        run(vector, setting, vectors[vector], replace(SETTINGS[setting], seed=1, stream=stream), draws)
        for stream, (vector, setting) in enumerate(pairs)
    ]


def test_draws_are_what_the_settings_mean(vectors):
    runs = runs_of(vectors)
    for one in runs:
        print(one)
    assert faults(runs) == []
    tested = [one for one in runs if one.p_value is not None]
    assert len(runs) == VECTORS * len(SETTINGS) and len(tested) > len(runs) // 2
    assert max(one.tokens for one in runs) == 512 and any(one.tokens < LIST for one in runs)


def position_stands_still(key, counter):
    """The generator begins again with each token."""
    return threefry.threefry2x32(key, (counter[0], np.zeros_like(counter[1])))


def straight_line(u):
    """2**-u with a straight line between the powers of two, in place of the table: up to 6% too much."""
    u = np.asarray(u)
    return (1 << 16) - (u >> 5)


def some_entries(u):
    """32 of the table's 256 entries are 5% too large."""
    u = np.asarray(u)
    right = TABLE(u)
    return np.where((u >> 12 & 255) // 32 == 3, right + right // 20, right)


TABLE = sampler.exp2_neg


@pytest.mark.parametrize(
    ("name", "fault"),
    [("threefry2x32", position_stands_still), ("exp2_neg", straight_line), ("exp2_neg", some_entries)],
)
def test_a_fault_is_seen(vectors, name, fault, monkeypatch):
    """In the draws too, not in the bias alone, which only the table's faults change."""
    monkeypatch.setattr(sampler, name, fault)
    said = faults(runs_of(vectors, ["T 1.0"], 5 * DRAWS))
    assert any("p-values" in line for line in said), said
    assert any("bias" in line for line in said) == (name == "exp2_neg")


@pytest.mark.parametrize("apart", ["positions", "streams"])
def test_one_draw_says_nothing_about_the_next(apart):
    """Pairs of draws, of neighbouring positions, and of two streams at one position: as likely as the product."""
    logits, pairs = np.round(np.random.default_rng(1).normal(0, 1, 12) * ONE).astype(np.int64), 40_000
    p = exact(logits, Sampling(1.0))
    if apart == "positions":
        tokens = sampler.sample_many(logits, Sampling(1.0, seed=9).registers(), np.arange(2 * pairs))
        first, second = tokens[0::2], tokens[1::2]
    else:
        first, second = (
            sampler.sample_many(logits, Sampling(1.0, seed=9, stream=stream).registers(), np.arange(pairs))
            for stream in (0, 1)
        )
    counts = np.bincount(first * len(p) + second, minlength=len(p) ** 2)
    assert chi_square(counts, np.outer(p, p).ravel()) > 0.01


# the measures themselves


def test_exact_distribution_by_hand():
    logits = np.round(np.log([0.1, 0.4, 0.2, 0.3]) * ONE).astype(np.int64)
    for settings, wanted in (
        (Sampling(), [0, 1, 0, 0]),
        (Sampling(1.0), [0.1, 0.4, 0.2, 0.3]),
        (Sampling(0.5), np.array([1, 16, 4, 9]) / 30),
        (Sampling(1.0, top_k=2), [0, 4 / 7, 0, 3 / 7]),
        (Sampling(1.0, top_p=0.8), [0, 4 / 9, 2 / 9, 3 / 9]),
        (Sampling(1.0, top_p=0.6), [0, 4 / 7, 0, 3 / 7]),
        (Sampling(1.0, top_k=2, top_p=0.55), [0, 1, 0, 0]),  # of 4/7 and 3/7
        (Sampling(1.0, min_p=0.7), [0, 4 / 7, 0, 3 / 7]),
        (Sampling(1.0, top_p=0), [0, 1, 0, 0]),
    ):
        np.testing.assert_allclose(exact(logits, settings), wanted, atol=2e-6)
        np.testing.assert_allclose(implied(logits, settings.registers()), wanted, atol=2e-5)
    np.testing.assert_allclose(exact(logits, Sampling(1.0, top_p=0.9), entries=2), [0, 4 / 7, 0, 3 / 7], atol=2e-6)
    np.testing.assert_allclose(exact(logits, Sampling(1.0), entries=2), [0.1, 0.4, 0.2, 0.3], atol=2e-6)


def test_implied_distribution_is_that_of_the_draws():
    """With a wrong table too: it is what the integers do, not what they should."""
    logits, registers = np.array([3, 5, 4, 5]) * ONE, Sampling(2.0, seed=4).registers()
    counts = np.bincount(sampler.sample_many(logits, registers, np.arange(50_000)), minlength=4)
    assert chi_square(counts, implied(logits, registers)) > 0.01
    assert sum(implied(logits, registers)) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("x", "degrees", "wanted"),
    [
        (3.841459, 1, 0.05),
        (5.991465, 2, 0.05),
        (11.344867, 3, 0.01),
        (18.307038, 10, 0.05),
        (124.342113, 100, 0.05),
        (603.0, 511, 0.003),
        (0, 4, 1),
        (1e6, 3, 0),
    ],
)
def test_survival_of_chi_square(x, degrees, wanted):
    """Percentiles as tables have them."""
    assert survival(x, degrees) == pytest.approx(wanted, rel=1e-5, abs=2e-4 if degrees == 511 else 1e-12)


def test_chi_square_by_hand():
    assert chi_square([60, 40], [0.5, 0.5]) == pytest.approx(survival(4, 1))
    assert chi_square([60, 40, 0], [0.5, 0.5, 0]) == pytest.approx(survival(4, 1))
    assert chi_square([60, 39, 1], [0.5, 0.5, 0]) == 0
    assert chi_square([100], [1.0]) is None
    # 1, 2 and 4 draws expected: together 7, one bin
    assert chi_square([0, 3, 7, 90], [0.01, 0.02, 0.04, 0.93]) == pytest.approx(survival(9 / 7 + 9 / 93, 1))
    # 1 and 2 draws expected: too few together, so with the next bin
    assert chi_square([2, 2, 26, 70], [0.01, 0.02, 0.27, 0.7]) == pytest.approx(survival(0, 1))


def test_noise_is_that_of_exact_draws():
    rng = np.random.default_rng(2)
    for p in (np.full(512, 1 / 512), np.array([0.9, 0.1]), rng.dirichlet(np.full(100, 0.1)), np.array([1.0, 0])):
        p = p / p.sum()
        observed = [total_variation(rng.multinomial(5000, p) / 5000, p) for _ in range(200)]
        assert np.mean(observed) == pytest.approx(noise(p, 5000), rel=0.1)
    assert noise(np.full(512, 1 / 512), 200_000) == pytest.approx(0.0202, abs=1e-4)


def test_low_p_values_that_are_allowed():
    for tests in (1, 20, 160):
        most = allowed(tests)
        beyond = sum(comb(tests, k) * 0.01**k * 0.99 ** (tests - k) for k in range(most + 1, tests + 1))
        assert beyond < 0.001 <= beyond + comb(tests, most) * 0.01**most * 0.99 ** (tests - most)
    assert allowed(160) == 7
