"""One model in every kind of file: what is read is the same model."""

import numpy as np
import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.readers.model import digest_of, read_model
from llama2_myhdl.spec.config import ModelShape
from tb.readers import gguf_files, hugging_face_folder, llama2c_files

# SmolLM2-135M in small: 9 heads on 3, a hidden vector of 8/3 the width, a theta of 100,000
SHAPE = ModelShape(72, 192, 3, 9, 3, 97, 64, rope_theta=100000.0)
TOKENS = np.random.default_rng(1).integers(0, SHAPE.vocab_size, 48)


def folder(path, checkpoint):
    stored = hugging_face_folder.tensors(checkpoint)
    return hugging_face_folder.write(path, hugging_face_folder.config(checkpoint), stored, shards=2)


KINDS = {
    "version 0": lambda path, checkpoint: write_checkpoint(checkpoint, path),
    "version 1": lambda path, checkpoint: path.write_bytes(llama2c_files.version1(checkpoint)),
    "folder": folder,
    "GGUF": gguf_files.write,
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_model_in_every_kind_of_file(tmp_path, kind):
    written = random_checkpoint(SHAPE, seed=8)
    KINDS[kind](tmp_path / "model", written)
    said = {} if kind in ("folder", "GGUF") else {"rope_theta": SHAPE.rope_theta}
    found = read_model(tmp_path / "model", **said)
    assert found.shape == SHAPE
    np.testing.assert_array_equal(FloatModel(found).forward_all(TOKENS), FloatModel(written).forward_all(TOKENS))


@pytest.mark.parametrize("kind", KINDS)
def test_digests_change_with_the_content(tmp_path, kind):
    KINDS[kind](tmp_path / "a", random_checkpoint(SHAPE, seed=8))
    KINDS[kind](tmp_path / "b", random_checkpoint(SHAPE, seed=8))
    KINDS[kind](tmp_path / "c", random_checkpoint(SHAPE, seed=9))
    first, second, third = (digest_of(tmp_path / name).hexdigest() for name in "abc")
    assert first == second != third


def test_no_model(tmp_path):
    with pytest.raises(ModelError, match="none: cannot be read: No such file"):
        read_model(tmp_path / "none")
