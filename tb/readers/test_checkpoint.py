"""Checkpoint files: what is written is read back, and what is wrong is named."""

import dataclasses
import struct
from functools import partial

import numpy as np
import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.checkpoint import random_checkpoint, read_checkpoint, write_checkpoint
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import preset
from tb.readers.refusals import says

SHAPE = preset("nano").shape
HEADER = (SHAPE.dim, SHAPE.hidden_dim, SHAPE.n_layers, SHAPE.n_heads, SHAPE.n_kv_heads, SHAPE.vocab_size, SHAPE.seq_len)


@pytest.fixture
def written(tmp_path):
    """A good nano file."""
    path = tmp_path / "nano.bin"
    write_checkpoint(random_checkpoint(SHAPE, seed=1), path)
    return path


def refused(path, *words):
    says(partial(read_checkpoint, path), path.name, *words)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("shape", [SHAPE, ModelShape(24, 40, 3, 6, 1, 19, 7)])
def test_round_trip(tmp_path, shape, shared):
    checkpoint = random_checkpoint(shape, seed=3, shared=shared)
    path = tmp_path / "model.bin"
    write_checkpoint(checkpoint, path)
    again = read_checkpoint(path)
    assert again.shape == shape
    assert again.shared_classifier is shared
    assert (again.classifier is again.token_embedding) is shared
    tensors = [name for name, value in vars(checkpoint).items() if isinstance(value, np.ndarray)]
    assert len(tensors) == 12
    for name in tensors:
        np.testing.assert_array_equal(getattr(again, name), getattr(checkpoint, name))
    assert [file.name for file in tmp_path.iterdir()] == ["model.bin"]


def test_random_checkpoint_is_deterministic():
    first, second, other = (random_checkpoint(SHAPE, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.w1, second.w1)
    assert not np.array_equal(first.w1, other.w1)


def test_stories260k(stories260k):
    assert stories260k.shape == ModelShape(64, 172, 5, 8, 4, 512, 512)
    assert stories260k.shared_classifier
    assert stories260k.w2.shape == (5, 64, 172)


def test_rewritten_stories260k_has_the_same_weights(models, stories260k, tmp_path):
    write_checkpoint(stories260k, tmp_path / "again.bin")
    original, again = ((p.read_bytes()) for p in (models / "stories260K.bin", tmp_path / "again.bin"))
    tables = 4 * stories260k.shape.seq_len * stories260k.shape.head_dim  # not read, so written anew: equal to rounding
    assert again[:-tables] == original[:-tables]
    np.testing.assert_allclose(
        np.frombuffer(again[-tables:], "<f4"), np.frombuffer(original[-tables:], "<f4"), atol=1e-5
    )


@pytest.mark.parametrize("size", [4, 27])
def test_truncated_header(written, size):
    written.write_bytes(written.read_bytes()[:size])
    refused(written, "truncated", "28 bytes", f"has {size}")


def test_truncated_weights(written):
    data = written.read_bytes()
    written.write_bytes(data[:-1])
    refused(written, "truncated", len(data), len(data) - 1)


def test_surplus_bytes(written):
    data = written.read_bytes()
    written.write_bytes(data + b"abc")
    refused(written, "3 surplus bytes", len(data))


@pytest.mark.parametrize(
    ("position", "field", "value"),
    [
        (0, "dim", 0),
        (0, "dim", 1 << 30),
        (1, "hidden_dim", -24),
        (2, "n_layers", 0),
        (2, "n_layers", 1 << 20),
        (3, "n_heads", 0),
        (4, "n_kv_heads", -1),
        (5, "vocab_size", 0),
        (5, "vocab_size", -(1 << 31)),
        (6, "seq_len", 0),
        (6, "seq_len", 1 << 30),
    ],
)
def test_impossible_header(written, position, field, value):
    header = list(HEADER)
    header[position] = value
    written.write_bytes(struct.pack("<7i", *header) + written.read_bytes()[28:])
    refused(written, field, abs(value) if field == "vocab_size" else value)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ((16, 24, 2, 5, 5, 32, 16), ("dim", "multiple of n_heads = 5", "is 16")),
        ((16, 24, 2, 4, 3, 32, 16), ("n_heads", "multiple of n_kv_heads = 3", "is 4")),
        ((12, 24, 2, 4, 2, 32, 16), ("even", "is 3")),
    ],
)
def test_header_numbers_that_do_not_go_together(written, header, words):
    written.write_bytes(struct.pack("<7i", *header) + written.read_bytes()[28:])
    refused(written, *words)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_must_be_finite(tmp_path, bad):
    checkpoint = random_checkpoint(SHAPE, seed=1)
    checkpoint.w2[1, 3, 5] = bad
    path = tmp_path / "bad.bin"
    write_checkpoint(checkpoint, path)
    refused(path, "w2[1, 3, 5]", "finite", bad)


def test_what_the_file_does_not_say(written):
    """The base of the rotary frequencies and the epsilon of the norms, each by itself and both."""
    base, small = {"rope_theta": 500000.0}, {"norm_eps": 1e-6}
    for given in ({}, base, small, base | small):
        assert read_checkpoint(written, **given).shape == dataclasses.replace(SHAPE, **given)
    assert read_checkpoint(written, rope_theta=None, norm_eps=None).shape == SHAPE


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rope_theta": 1.0}, ("rope_theta", "above 1", "is 1.0")),
        ({"rope_theta": -3.0}, ("rope_theta", "above 1", "is -3.0")),
        ({"rope_theta": np.inf}, ("rope_theta", "finite", "is inf")),
        ({"rope_theta": np.nan}, ("rope_theta", "finite", "is nan")),
        ({"norm_eps": 0.0}, ("norm_eps", "between 0 and 1", "is 0.0")),
        ({"norm_eps": -1e-5}, ("norm_eps", "between 0 and 1", "is -1e-05")),
        ({"norm_eps": np.nan}, ("norm_eps", "between 0 and 1", "is nan")),
        ({"norm_eps": 1 / 16}, ("dim * norm_eps", "below 1", "is 1.0")),
        ({"norm_eps": 2.0**-38}, ("dim * norm_eps", "at least 1.16e-10", "is 5.8")),
    ],
)
def test_impossible_theta_and_epsilon(written, given, words):
    with pytest.raises(ModelError) as caught:
        read_checkpoint(written, **given)
    line = str(caught.value)
    assert "\n" not in line
    for word in (written.name, *words):
        assert word in line


def test_missing_file(tmp_path):
    refused(tmp_path / "none.bin", "cannot be read")


def test_failed_write_leaves_no_file(tmp_path):
    checkpoint = random_checkpoint(SHAPE, seed=1)
    broken = dataclasses.replace(checkpoint, rms_final=np.ones(3, np.float32))
    with pytest.raises(ModelError, match=r"rms_final must have shape \(16,\), has \(3,\)"):
        write_checkpoint(broken, tmp_path / "model.bin")
    assert not list(tmp_path.iterdir())
