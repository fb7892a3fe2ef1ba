"""GGUF files: the arrays and the float model of what is read; what a file has that is not here is named."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, RopeScalingType

from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.readers.gguf_header import GgufFile
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.spec.config import ModelShape
from tb.readers import gguf_files
from tb.readers.refusals import refused

SHAPE = ModelShape(64, 96, 2, 4, 2, 40, 32, rope_theta=100000.0, norm_eps=1e-6)
KINDS = {"F32": 0, "F16": 1e-3, "BF16": 1e-2, "Q8_0": 1e-2, "Q4_0": 0.15, "Q4_1": 0.15, "Q5_0": 0.08, "Q5_1": 0.08}
TENSORS = 12


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_round_trip(tmp_path, kind, shared):
    """All arrays as the package reads them, near the written ones, and the logits."""
    written = random_checkpoint(SHAPE, seed=3, shared=shared)
    found = read_model(gguf_files.write(tmp_path / "m.gguf", written, kind))
    assert (found.shape, found.shared_classifier, found.bos, found.stops) == (SHAPE, shared, 1, (2,))
    assert (found.classifier is found.token_embedding) is shared
    exact = {}
    for name, array in vars(written).items():
        if isinstance(array, np.ndarray):
            flat = name in ("rms_final", "token_embedding", "classifier")
            exact[name] = np.stack([gguf_files.dequantised(part, kind) for part in ([array] if flat else array)])
            exact[name] = exact[name][0] if flat else exact[name]
            np.testing.assert_array_equal(getattr(found, name), exact[name], name)
            np.testing.assert_allclose(exact[name], array, atol=KINDS[kind] * np.abs(array).max(), rtol=0)
    assert len(exact) == TENSORS
    tokens = np.arange(9)
    expected = FloatModel(replace(written, **exact)).forward_all(tokens)
    np.testing.assert_array_equal(FloatModel(found).forward_all(tokens), expected)


def test_header_is_what_the_package_reads(tmp_path):
    """Keys, arrays of numbers and of texts, and where each tensor lies."""
    texts, numbers = ["a", "", "é" * 40], [1.5, -2.0]

    def change(writer):
        writer.add_array("some.texts", texts)
        writer.add_array("some.numbers", numbers)
        writer.add_bool("some.flag", True)
        writer.add_custom_alignment(64)

    path = gguf_files.write(tmp_path / "m.gguf", random_checkpoint(SHAPE, seed=1), "Q4_0", change)
    found, package = GgufFile(path), GGUFReader(path)
    fields = {key: field for key, field in package.fields.items() if not key.startswith("GGUF.")}
    assert found.values.keys() == fields.keys() and len(fields) == 15
    for key, field in fields.items():
        value = found.values[key]
        if isinstance(value, float):
            assert np.float32(value) == field.contents()
        else:
            assert (list(value) if key in ("some.texts", "some.numbers") else value) == field.contents(), key
    assert (list(found.values["some.texts"]), list(found.values["some.numbers"])) == (texts, numbers)
    assert len(found.values["some.texts"]) == 3 and found.values["general.alignment"] == 64
    places = {t.name: (t.data_offset, t.n_bytes, t.tensor_type, t.shape.tolist()[::-1]) for t in package.tensors}
    assert places == {n: (t.offset, t.size, t.kind, list(t.dims)) for n, t in found.tensors.items()}
    assert len(places) == 20


def test_divisors_of_the_frequencies(tmp_path):
    """As a tensor, as a factor, and both; ones are none."""
    written = random_checkpoint(SHAPE, seed=1)
    divisors = np.linspace(1, 8, SHAPE.head_dim // 2).astype(np.float32)
    stored = gguf_files.tensors(written)

    def linear(writer):
        writer.add_rope_scaling_type(RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(2.0)

    path = tmp_path / "m.gguf"
    for change, more, expected in (
        (None, {"rope_freqs.weight": divisors}, divisors),
        (linear, {}, np.full(8, 2.0)),
        (linear, {"rope_freqs.weight": divisors}, 2 * divisors),
        (None, {"rope_freqs.weight": np.ones(8, np.float32)}, []),
    ):
        found = read_model(gguf_files.write(path, written, change=change, stored=stored | more)).shape
        assert found == replace(SHAPE, rope_divisors=tuple(map(float, expected)))


def test_special_tokens(tmp_path):
    def change(writer):
        writer.add_bos_token_id(3)
        writer.add_eos_token_id(5)
        writer.add_eot_token_id(4)

    found = read_model(gguf_files.write(tmp_path / "m.gguf", random_checkpoint(SHAPE, seed=1), change=change))
    assert (found.bos, found.stops) == (3, (5, 4))


def test_what_is_given_counts_instead(tmp_path):
    path = gguf_files.write(tmp_path / "m.gguf", random_checkpoint(SHAPE, seed=1))
    assert read_model(path, rope_theta=30.0, norm_eps=1e-3).shape == replace(SHAPE, rope_theta=30.0, norm_eps=1e-3)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("attention.key_length", 32, ("head_dim", "= 16, is 32")),
        ("attention.sliding_window", 8, ("sliding_window must be at least the context of 32, is 8",)),
        ("expert_count", 8, ("expert_count must be 0, is 8",)),
        ("rope.scaling.type", "yarn", ("rope.scaling.type must be none or linear, is 'yarn'",)),
        ("rope.scale_linear", 0.5, ("rope_divisors", "at least 1, is 0.5")),
    ],
)
def test_what_is_different_is_named(tmp_path, key, value, words):
    add = {int: "add_uint32", float: "add_float32", str: "add_string"}[type(value)]
    path = tmp_path / "m.gguf"
    written = random_checkpoint(SHAPE, seed=1)
    refused(gguf_files.write(path, written, change=lambda w: getattr(w, add)(f"llama.{key}", value)), *words)


def test_other_architectures(tmp_path):
    written = random_checkpoint(SHAPE, seed=1)
    path = gguf_files.write(tmp_path / "m.gguf", written, arch="qwen2")
    refused(path, "general.architecture must be llama, is 'qwen2' (biases of queries, keys and values)")
    path = gguf_files.write(tmp_path / "m.gguf", written, arch="unheard")
    refused(path, "general.architecture must be llama, is 'unheard'")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t | {"blk.0.attn_q.bias": np.zeros(64, np.float32)}, ("blk.0.attn_q.bias", "none of a Llama")),
        (lambda t: t | {"blk.1.ffn_up.weight": np.zeros((96, 32), np.float32)}, ("must have shape [96, 64], has",)),
        (lambda t: t | {"output_norm.weight": np.full(64, np.nan, np.float32)}, ("output_norm.weight[0]", "finite")),
        (lambda t: {n: a for n, a in t.items() if n != "blk.0.attn_k.weight"}, ("attn_k.weight is missing",)),
        (lambda t: {n: a for n, a in t.items() if n != "token_embd.weight"}, ("token_embd.weight", "is missing")),
    ],
)
def test_tensors(tmp_path, change, words):
    written = random_checkpoint(SHAPE, seed=1)
    refused(gguf_files.write(tmp_path / "m.gguf", written, stored=change(gguf_files.tensors(written))), *words)


@pytest.fixture
def good(tmp_path):
    return gguf_files.write(tmp_path / "m.gguf", random_checkpoint(SHAPE, seed=1))


def test_length(good):
    data = good.read_bytes()
    for size in (4, 7, 23, 24, 100, 1000, len(data) - 1):
        good.write_bytes(data[:size])
        refused(good, "truncated")
    good.write_bytes(data + b"xyz")  # padding is allowed
    assert read_model(good).shape == SHAPE


@pytest.mark.parametrize(
    ("offset", "format_", "value", "words"),
    [
        (4, "<I", 1, ("version 2 or 3", "is version 1")),
        (4, "<I", 3 << 24, ("is big-endian",)),
        (8, "<Q", 1 << 60, ("tensor", "must be")),
        (16, "<Q", 1 << 60, ("truncated",)),
        (24, "<Q", 1 << 63, ("truncated",)),
        (32, "<B", 0xFF, ("the text at byte 32 is no UTF-8",)),
        (52, "<I", 77, ("unknown type 77",)),
        (52, "<I", 9, ("truncated",)),
    ],
)
def test_header(good, offset, format_, value, words):
    """Counts and lengths that no file can have end at once."""
    data = bytearray(good.read_bytes())
    assert data[32:52] == b"general.architecture"
    struct.pack_into(format_, data, offset, value)
    good.write_bytes(data)
    refused(good, *words)


def test_types_that_are_not_read(good):
    data = good.read_bytes()
    place = data.index(b"blk.0.attn_q.weight") + len(b"blk.0.attn_q.weight") + 4 + 16
    for kind, words in ((GGMLQuantizationType.I8, ("must be F32", "is I8")), (99, ("unknown type 99",))):
        good.write_bytes(data[:place] + struct.pack("<I", kind) + data[place + 4 :])
        refused(good, "blk.0.attn_q.weight", *words)


def test_names_that_are_there_twice_or_not_at_all(good):
    data = good.read_bytes()
    good.write_bytes(data.replace(b"llama.rope.freq_base", b"general.architecture"))
    refused(good, "key 'general.architecture' is there twice")
    good.write_bytes(data.replace(b"llama.embedding_length", b"llama.embedding_lengtX"))
    refused(good, "llama.embedding_length must be an integer, is null")
    good.write_bytes(data.replace(b"blk.1.ffn_up.weight", b"blk.0.ffn_up.weight"))
    refused(good, "tensor 'blk.0.ffn_up.weight' is there twice")
