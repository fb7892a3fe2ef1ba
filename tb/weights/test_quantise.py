"""The quantiser: rows, folding, error compensation, and what it costs on a real model."""

import numpy as np
import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.golden.accuracy import compare, evaluation_tokens
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.golden.sampling import CALIBRATION_SEED, EVALUATION_SEED, sample_texts
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.spec.formats import WEIGHT_BITS
from llama2_myhdl.spec.limits import EXPONENT_MAX, EXPONENT_MIN
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.quantised import LAYER_MATRICES
from llama2_myhdl.weights.calibrated import refit
from llama2_myhdl.weights.folding import dequantise, fold_factor
from llama2_myhdl.weights.gptq import gptq
from llama2_myhdl.weights.quantise import default_calibration, embedding_limits, quantise_checkpoint, round_to_nearest
from llama2_myhdl.weights.rows import quantise_rows, row_exponents_lsq, row_exponents_max

SHAPE = preset("nano").shape


def squared_errors(w, exponent):
    return np.sum((quantise_rows(w, exponent).dequantise() - w) ** 2, axis=1)


@pytest.fixture
def matrix():
    """Rows of many sizes, with outliers."""
    rng = np.random.default_rng(1)
    return rng.standard_t(3, (200, 48)) * np.exp(rng.normal(0, 4, (200, 1)))


@pytest.fixture
def inputs():
    """Correlated inputs of unequal size."""
    rng = np.random.default_rng(2)
    return rng.standard_normal((500, 48)) @ rng.standard_normal((48, 48)) * np.exp(rng.normal(0, 1, 48))


@pytest.mark.parametrize("bits", WEIGHT_BITS)
def test_largest_mantissa_fills_the_range(matrix, bits):
    quantised = quantise_rows(matrix, row_exponents_max(matrix, bits=bits), bits)
    peak = np.abs(quantised.mantissa.astype(int)).max(axis=1)
    assert quantised.bits == bits and peak.max() < 1 << bits - 1
    assert peak.min() >= (1 << bits - 2) - 1
    step = 2.0 ** quantised.exponent.astype(float)
    assert (np.abs(quantised.dequantise() - matrix).max(axis=1) <= step / 2).all()


def test_least_squares_is_the_best_of_all_exponents(matrix):
    best = squared_errors(matrix, row_exponents_lsq(matrix))
    largest = row_exponents_max(matrix)
    for shift in range(-6, 4):
        assert (best <= squared_errors(matrix, largest + shift) * (1 + 1e-12)).all()
    assert (best < squared_errors(matrix, largest) * 0.99).any()


@pytest.mark.parametrize(
    ("value", "mantissa", "exponent"), [(127.0, 127, 0), (127.01, 64, 1), (-1.0, -64, -6), (0.0, 0, 0)]
)
def test_exact_rows(value, mantissa, exponent):
    w = np.array([[value, 0.0]])
    quantised = quantise_rows(w, row_exponents_max(w))
    assert (quantised.mantissa[0, 0], quantised.exponent[0]) == (mantissa, exponent)


def test_exponents_stay_in_their_field():
    w = np.array([[1e-30, 2e-30], [1e30, 1.0], [0, 0]])
    quantised = quantise_rows(w)
    assert quantised.exponent.tolist() == [EXPONENT_MIN, EXPONENT_MAX, 0]
    assert quantise_rows(w, **embedding_limits(8)).exponent.tolist() == [-20, 3, 0]


def output_error(matrix, quantised, inputs):
    return np.sum((inputs @ (quantised.dequantise() - matrix).T) ** 2, axis=0)


def test_compensation_beats_rounding(matrix, inputs):
    hessian = inputs.T @ inputs
    compensated = output_error(matrix, gptq(matrix, hessian), inputs)
    nearest = output_error(matrix, quantise_rows(matrix, row_exponents_lsq(matrix, metric=hessian)), inputs)
    assert np.mean(compensated < nearest) > 0.9
    assert np.median(compensated / nearest) < 0.6


def test_compensation_of_independent_inputs_is_rounding(matrix):
    same = gptq(matrix, np.eye(48))
    nearest = quantise_rows(matrix)
    np.testing.assert_array_equal(same.exponent, nearest.exponent)
    np.testing.assert_array_equal(same.mantissa, nearest.mantissa)


def test_compensation_keeps_to_the_exponents_given(matrix, inputs):
    """Free of limits some rows would take the next larger or smaller one."""
    hessian = inputs.T @ inputs
    free = gptq(matrix, hessian).exponent
    for low, high in ((-64, -4), (-4, 63), (-5, -3)):
        bounded = gptq(matrix, hessian, low=low, high=high).exponent
        assert free.min() < low or free.max() > high
        assert (bounded.min(), bounded.max()) == (max(low, free.min()), min(high, free.max()))


def test_inputs_that_never_move(matrix):
    np.testing.assert_array_equal(gptq(matrix, np.zeros((48, 48))).mantissa, quantise_rows(matrix).mantissa)


def test_refit_makes_up_for_changed_inputs(matrix, inputs):
    changed = inputs * 1.01
    _, weights = refit(matrix, inputs[None], changed[None])
    before = np.sum((changed @ matrix.T - inputs @ matrix.T) ** 2)
    assert np.sum((changed @ weights.T - inputs @ matrix.T) ** 2) < 0.01 * before


@pytest.mark.parametrize("bits, agreement, off", [(8, 0.9, 0.01), (16, 0.99, 0.0005)])
@pytest.mark.parametrize("gptq_on", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_quantised_model_is_near(shared, gptq_on, bits, agreement, off):
    checkpoint = random_checkpoint(SHAPE, seed=5, shared=shared)
    quantised = quantise_checkpoint(checkpoint, gptq=gptq_on, bits=bits)
    model = FloatModel(checkpoint)
    tokens = evaluation_tokens(model, 512)
    accuracy = compare(model.forward_all(tokens), FloatModel(dequantise(quantised)).forward_all(tokens), tokens)
    assert accuracy.positions >= 512
    assert accuracy.agreement > agreement
    assert 1 - off < accuracy.perplexity_ratio < 1 + 2 * off
    for name in LAYER_MATRICES:
        for layer, matrix in enumerate(getattr(quantised, name)):
            assert matrix.mantissa.dtype == f"i{bits // 8}" and matrix.exponent.dtype == np.int8
            assert matrix.mantissa.shape == getattr(checkpoint, name)[layer].shape
            assert np.abs(matrix.mantissa.astype(int)).max() < 1 << bits - 1
            assert matrix.exponent.shape == matrix.mantissa.shape[:1]


def test_folding_is_in_the_mantissas():
    checkpoint = random_checkpoint(SHAPE, seed=5)
    quantised = round_to_nearest(checkpoint)
    factors = {"wq": np.log2(np.e) / np.sqrt(SHAPE.head_dim), "w1": np.log2(np.e), "w3": np.log(2)}
    for name in LAYER_MATRICES:
        assert fold_factor(name, SHAPE) == pytest.approx(factors.get(name, 1.0))
        stored = quantised.__dict__[name][0].dequantise()
        np.testing.assert_allclose(stored, getattr(checkpoint, name)[0] * factors.get(name, 1.0), atol=0.02)


def test_quantiser_is_deterministic():
    checkpoint = random_checkpoint(SHAPE, seed=5)
    first, second = quantise_checkpoint(checkpoint), quantise_checkpoint(checkpoint)
    np.testing.assert_array_equal(first.classifier.mantissa, second.classifier.mantissa)
    np.testing.assert_array_equal(first.w2[1].exponent, second.w2[1].exponent)


def test_calibration_and_evaluation_texts_are_disjoint():
    assert CALIBRATION_SEED != EVALUATION_SEED
    checkpoint = random_checkpoint(SHAPE, seed=5)
    calibration = default_calibration(checkpoint).tolist()
    evaluation = evaluation_tokens(FloatModel(checkpoint), 512).tolist()
    assert not [sequence for sequence in evaluation if sequence in calibration]


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (np.ones(5, int), r"must be \[sequences, positions\], have shape \(5,\)"),
        (np.ones((0, 5), int), r"have shape \(0, 5\)"),
        (np.full((2, 5), 32), "must be 0 to 31, are 32 to 32"),
    ],
)
def test_unfit_calibration_tokens(tokens, message):
    with pytest.raises(ModelError, match=message):
        quantise_checkpoint(random_checkpoint(SHAPE, seed=5), tokens)


def test_accuracy_of_stories260k(stories260k):
    """The acceptance of the integer model is 98.5%; rounding the weights is nearly all of its loss."""
    model = FloatModel(stories260k)
    tokens = evaluation_tokens(model, 4096)
    calibration = sample_texts(model, 32, 256, CALIBRATION_SEED)  # less than the default: the test is quicker
    reference = model.forward_all(tokens)
    rows = [
        compare(reference, FloatModel(dequantise(quantised)).forward_all(tokens), tokens)
        for quantised in (quantise_checkpoint(stories260k, calibration), round_to_nearest(stories260k))
    ]
    calibrated, nearest = rows
    assert calibrated.positions == 4096
    assert calibrated.agreement > 0.985
    assert calibrated.perplexity_ratio < 1.002
    assert calibrated.mse < 0.6 * nearest.mse
    assert calibrated.kl < 0.6 * nearest.kl
