"""Models whose values leave the range of F, or whose classifier has uneven columns: the same model in other factors."""

from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.golden.accuracy import fixed_logits
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.golden.sampling import sample_texts
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.weights.cache import quantised
from llama2_myhdl.weights.calibrated import even_columns
from llama2_myhdl.weights.gptq import DAMPING, damping_of
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.ranges import within_range

NANO = preset("nano")


def wide(**factors):
    """A random model with some tensors times so much."""
    checkpoint = random_checkpoint(NANO.shape, seed=5)
    return replace(checkpoint, **{name: getattr(checkpoint, name) * np.float32(f) for name, f in factors.items()})


def tokens_of(checkpoint):
    return sample_texts(FloatModel(checkpoint), 4, NANO.shape.seq_len, seed=3)


def peaks(checkpoint, tokens):
    """Of the residual, and of the hidden vectors."""
    model, found = FloatModel(checkpoint, taps=True), []
    for sequence in tokens:
        model.forward_all(sequence)
        taps = model.taps
        residual = [taps["x_embed"], *taps["x_att"], *taps["x_layer"]]
        found.append([max(float(np.abs(x).max()) for x in part) for part in (residual, taps["swiglu"])])
    return np.max(found, axis=0)


def test_what_fits_stays_as_it_is():
    checkpoint = wide()
    assert within_range(checkpoint, tokens_of(checkpoint)) is checkpoint


@pytest.mark.parametrize("factors", [dict(w2=3000, wo=20), dict(w3=2000), dict(w3=2000, w2=3)])
def test_the_same_model_within_the_range(factors):
    checkpoint = wide(**factors)
    tokens = tokens_of(checkpoint)
    fitting = within_range(checkpoint, tokens)
    assert peaks(checkpoint, tokens).max() > 1024 >= peaks(fitting, tokens).max()
    expected, found = (FloatModel(model, np.float64).forward_all(tokens) for model in (checkpoint, fitting))
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())


def test_the_integer_model_of_a_wide_one_clips_nothing():
    """Rounded as it is, it would clip at nearly every position."""
    checkpoint = wide(w2=100, w3=30)
    tokens = tokens_of(checkpoint)
    weights = quantise_checkpoint(checkpoint, tokens)
    model = FixedModel(weights, NANO.build)
    logits = [fixed_logits(model, sequence) for sequence in tokens]
    assert model.saturations.count == 0 and weights.shape.norm_eps < checkpoint.shape.norm_eps
    expected = FloatModel(checkpoint).forward_all(tokens)
    assert np.abs(np.array(logits) - expected).mean() < 0.1 * np.abs(expected).mean()
    as_it_is = FixedModel(quantise_checkpoint(checkpoint, gptq=False), NANO.build)
    for sequence in tokens:
        fixed_logits(as_it_is, sequence)
    assert as_it_is.saturations.count > tokens.size


def test_a_residual_that_epsilon_cannot_follow_keeps_it_in_its_register():
    checkpoint = wide(w2=1e9)
    fitting = within_range(checkpoint, tokens_of(checkpoint))
    assert 2**8 <= fitting.shape.eps_term < 2**10 < checkpoint.shape.eps_term


def test_even_columns_are_the_same_model():
    checkpoint = wide()
    checkpoint.classifier[:, 3] *= 40
    even = even_columns(checkpoint)
    tokens = tokens_of(checkpoint)
    expected, found = (FloatModel(model, np.float64).forward_all(tokens) for model in (checkpoint, even))
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    sizes = [np.sqrt(np.mean(model.classifier**2, axis=0)) for model in (checkpoint, even)]
    ratio, after = (size[3] / np.median(size) for size in sizes)
    assert after == pytest.approx(np.sqrt(ratio), rel=0.1)


def test_an_uneven_classifier_is_rounded_with_even_columns():
    """A last gain that is small where the columns are large is what a tied model has."""
    checkpoint = wide()
    classifier, gain = checkpoint.classifier.copy(), checkpoint.rms_final.copy()
    classifier[:, ::4] *= 60
    gain[::4] /= 60
    uneven = replace(checkpoint, classifier=classifier, rms_final=gain, shared_classifier=False)
    tokens = tokens_of(uneven)
    plain, evened = quantise_checkpoint(checkpoint, tokens), quantise_checkpoint(uneven, tokens)
    mantissas = [np.abs(weights.rms_final.mantissa) for weights in (plain, evened)]
    # the gains have taken the root of the 60
    assert np.median(mantissas[1]) / np.median(mantissas[1][::4]) == pytest.approx(60**0.5, rel=0.5)
    expected = FloatModel(uneven).forward_all(tokens)
    model = FixedModel(evened, NANO.build)
    found = np.array([fixed_logits(model, sequence) for sequence in tokens])
    assert np.abs(found - expected).mean() < 0.05 * np.abs(expected).mean()


def test_damping_grows_where_samples_are_few():
    assert damping_of(32768, 172) == DAMPING
    assert damping_of(2048, 1536) == pytest.approx(0.225)
    assert damping_of(1024, 1536) == 2 * damping_of(2048, 1536)


def test_the_cache_keeps_the_scaled_epsilon(tmp_path):
    from llama2_myhdl.readers.checkpoint import write_checkpoint

    write_checkpoint(wide(w2=100, w3=30), tmp_path / "model.bin")
    first, again = (quantised(tmp_path / "model.bin", tmp_path / "cache") for _ in range(2))
    assert first.shape == again.shape and first.shape.norm_eps < NANO.shape.norm_eps
