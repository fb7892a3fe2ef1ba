"""llama2.c checkpoints of versions 1 and 2: the float model of what is read, and what is wrong is named."""

import struct
from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import preset
from tb.readers import llama2c_files
from tb.readers.refusals import refused

SHAPE = preset("nano").shape
SHAPES = {"nano": (SHAPE, 8), "odd": (ModelShape(24, 40, 3, 6, 1, 19, 7), 4)}
TENSORS = 12


def tensors(checkpoint):
    return {name: value for name, value in vars(checkpoint).items() if isinstance(value, np.ndarray)}


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("version", [1, 2])
def test_round_trip(tmp_path, shape, shared, version):
    """All tensors to the bit, and the logits of the float model."""
    shape, group = SHAPES[shape]
    written = random_checkpoint(shape, seed=3, shared=shared)
    if version == 2:
        data = llama2c_files.version2(written, group)
        expected = replace(written, **llama2c_files.dequantised(written, group))
    else:
        data, expected = llama2c_files.version1(written), written
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    found = read_model(path)
    assert (found.shape, found.shared_classifier) == (shape, shared)
    assert (found.classifier is found.token_embedding) is shared
    assert len(tensors(found)) == TENSORS
    for name, tensor in tensors(found).items():
        np.testing.assert_array_equal(tensor, getattr(expected, name), name)
    tokens = np.arange(6) % shape.vocab_size
    np.testing.assert_array_equal(FloatModel(found).forward_all(tokens), FloatModel(expected).forward_all(tokens))


def test_groups_are_not_far_from_the_weights(tmp_path):
    """What the test's own rounding says is near the model that was rounded, so both mean the same numbers."""
    written = random_checkpoint(SHAPE, seed=5)
    (tmp_path / "model.bin").write_bytes(llama2c_files.version2(written, 8))
    found = read_model(tmp_path / "model.bin")
    for name, tensor in tensors(found).items():
        np.testing.assert_allclose(tensor, getattr(written, name), atol=np.abs(getattr(written, name)).max() / 127)


@pytest.fixture(params=[1, 2])
def written(request, tmp_path):
    """A good file of each version."""
    path = tmp_path / "model.bin"
    checkpoint = random_checkpoint(SHAPE, seed=1)
    path.write_bytes(
        llama2c_files.version1(checkpoint) if request.param == 1 else llama2c_files.version2(checkpoint, 8)
    )
    return path


def test_what_the_file_does_not_say(written):
    assert read_model(written).shape == SHAPE
    assert read_model(written, rope_theta=5e5, norm_eps=1e-6).shape == replace(SHAPE, rope_theta=5e5, norm_eps=1e-6)


def test_length(written):
    data = written.read_bytes()
    for change, words in (
        (data[:100], ("truncated", "256 bytes", "has 100")),
        (data[:-1], ("truncated", len(data), len(data) - 1)),
        (data + b"abc", ("3 surplus bytes", len(data))),
    ):
        written.write_bytes(change)
        refused(written, *words)


@pytest.mark.parametrize(
    ("offset", "format_", "value", "words"),
    [
        (4, "<i", 3, ("version must be 0, 1 or 2", "is 3")),
        (8, "<i", 0, ("dim", "is 0")),
        (12, "<i", -24, ("hidden_dim", "is -24")),
        (28, "<i", -32, ("vocab_size", "is -32")),
        (36, "<B", 2, ("shared classifier must be 0 or 1", "is 2")),
    ],
)
def test_header(written, offset, format_, value, words):
    data = bytearray(written.read_bytes())
    struct.pack_into(format_, data, offset, value)
    written.write_bytes(data)
    refused(written, *words)


@pytest.mark.parametrize("group", [0, -8, 7, 1 << 30])
def test_group_size(tmp_path, group):
    data = bytearray(llama2c_files.version2(random_checkpoint(SHAPE, seed=1), 8))
    struct.pack_into("<i", data, 37, group)
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    refused(path, "group size must divide", f"is {group}")


def test_weights_must_be_finite(written):
    data = bytearray(written.read_bytes())
    struct.pack_into("<f", data, 256 + 4 * 5, np.nan)
    written.write_bytes(data)
    refused(written, "rms_att[0, 5]", "must be finite, is nan")


def test_a_scale_that_overflows(tmp_path):
    data = bytearray(llama2c_files.version2(random_checkpoint(SHAPE, seed=1), 8))
    struct.pack_into("<f", data, len(data) - 4, 3e38)
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    refused(path, "w3[1, 23, ", "must be finite, is")
