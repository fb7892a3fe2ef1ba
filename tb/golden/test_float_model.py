"""The float model against llama2.c's own numbers, and against itself by another route."""

import json

import numpy as np
import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.golden.float_model import FloatModel, pick
from llama2_myhdl.golden.sampling import sample_texts
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.readers.tokenizer import BOS
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import preset

TAPS = {"q": "q_rope", "k": "k_rope", "v": "v", "x_att": "x_after_attn", "x_layer": "x_after_layer"}
NANO = preset("nano").shape
SHAPES = [NANO, ModelShape(24, 40, 3, 6, 6, 19, 12), ModelShape(24, 40, 2, 6, 1, 19, 12)]


@pytest.fixture(scope="module")
def taps(reference):
    with np.load(reference / "llama2c_stories260K_taps.npz") as file:
        return dict(file)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_of_llama2c_at_all_positions(stories260k, taps, dtype):
    logits = FloatModel(stories260k, dtype).forward_all(taps["all_pos_tokens"])
    assert logits.dtype == dtype
    assert logits.shape == taps["all_pos_logits"].shape == (256, 512)
    np.testing.assert_allclose(logits, taps["all_pos_logits"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("position", [0, 1, 10])
def test_taps_of_llama2c(stories260k, taps, position):
    model = FloatModel(stories260k, taps=True)
    for pos in range(position + 1):
        model.forward(int(taps["all_pos_tokens"][pos]), pos)
    for name, theirs in TAPS.items():
        ours = np.stack([layer[0, 0] for layer in model.taps[name]])
        np.testing.assert_allclose(ours, taps[f"pos{position}_{theirs}"], rtol=0, atol=1e-4, err_msg=name)
    for name in ("x_embed", "x_final_norm", "logits"):
        np.testing.assert_allclose(
            model.taps[name][0, 0], taps[f"pos{position}_{name}"], rtol=0, atol=1e-4, err_msg=name
        )


@pytest.mark.parametrize("prompt", ["Once upon a time", "Hi"])
def test_greedy_tokens_of_llama2c(stories260k, reference, prompt):
    run = json.loads((reference / "llama2c_stories260K_greedy.json").read_text())[prompt]
    assert len(run["generated_ids"]) > 200
    generated = FloatModel(stories260k).generate(run["prompt_ids"], len(run["generated_ids"]))
    assert list(generated) == run["generated_ids"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shared", [True, False])
def test_steps_equal_whole_sequences(shape, shared):
    model = FloatModel(random_checkpoint(shape, seed=2, shared=shared), np.float64)
    tokens = np.random.default_rng(1).integers(shape.vocab_size, size=(3, shape.seq_len))
    whole = model.forward_all(tokens)
    for sequence, expected in zip(tokens, whole, strict=True):
        steps = [model.forward(int(token), pos) for pos, token in enumerate(sequence)]
        np.testing.assert_allclose(steps, expected, rtol=0, atol=1e-10)


def test_later_tokens_do_not_reach_back():
    model = FloatModel(random_checkpoint(NANO, seed=2))
    tokens = np.arange(NANO.seq_len)
    changed = np.where(tokens < 9, tokens, 0)
    first, second = model.forward_all(tokens), model.forward_all(changed)
    np.testing.assert_array_equal(first[:9], second[:9])
    assert not np.allclose(first[9:], second[9:])


def test_generation_ends():
    checkpoint = random_checkpoint(NANO, seed=4, shared=False)
    model = FloatModel(checkpoint)
    checkpoint.classifier[:] = 0  # all logits equal: the first token wins
    assert list(model.generate([3, 4], steps=5)) == [0] * 5
    assert list(model.generate([3, 4], steps=100)) == [0] * (NANO.seq_len - 1)  # the context is full
    checkpoint.token_embedding[:], checkpoint.w2[:], checkpoint.wo[:] = 1, 0, 0
    checkpoint.classifier[BOS] = checkpoint.rms_final
    assert list(model.generate([3, 4], steps=100)) == []  # BOS ends it and is not part of it


def test_sampling_follows_the_distribution():
    logits = np.log(np.tile([0.5, 0.3, 0.2], (20000, 1)))
    rng = np.random.default_rng(1)
    np.testing.assert_allclose(np.bincount(pick(logits, 1.0, rng)) / 20000, [0.5, 0.3, 0.2], atol=0.02)
    np.testing.assert_array_equal(pick(logits, 0, rng), 0)


def test_sampled_texts_are_deterministic():
    model = FloatModel(random_checkpoint(NANO, seed=2))
    first, second, other = (sample_texts(model, 4, NANO.seq_len, seed) for seed in (1, 1, 2))
    assert first.shape == (4, NANO.seq_len)
    assert (first[:, 0] == BOS).all()
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_bad_calls():
    model = FloatModel(random_checkpoint(NANO, seed=2))
    with pytest.raises(ModelError, match="token must be 0 to 31, is 32"):
        model.forward(32, 0)
    with pytest.raises(ModelError, match="position must be 0, the next one, is 3"):
        model.forward(1, 3)
    with pytest.raises(ModelError, match="the context holds 16 positions, 17 are asked for"):
        model.forward_all(np.ones(17, int))
    with pytest.raises(ModelError, match="the prompt must have at least 1 token, has 0"):
        list(model.generate([], 5))
    with pytest.raises(ModelError, match="temperature must be at least 0, is -1"):
        list(model.generate([1], 5, temperature=-1))
    for pos in range(16):
        model.forward(1, pos)
    with pytest.raises(ModelError, match="the context holds 16 positions, 17 are asked for"):
        model.forward(1, 16)
