"""Hugging Face folders: the arrays and the float model of what is read; what a model has that is not here is named."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.readers.model import digest_of, read_model
from llama2_myhdl.readers.rope_scaling import llama3
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import preset
from tb.readers import hugging_face_folder as folders
from tb.readers.refusals import refused

SHAPE = replace(preset("nano").shape, rope_theta=500000.0, norm_eps=1e-6)
LLAMA3 = dict(
    rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64
)
TENSORS = 12


def arrays(checkpoint):
    return {name: value for name, value in vars(checkpoint).items() if isinstance(value, np.ndarray)}


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("dtype", folders.TYPES)
def test_round_trip(tmp_path, dtype, shared, shards):
    """All arrays to the bit of their type, with the rotary pairs back in place, and the logits."""
    written = random_checkpoint(SHAPE, seed=3, shared=shared)
    exact = {n: a.astype(folders.TYPES[dtype]).astype(np.float32) for n, a in arrays(written).items()}
    if shared:
        exact["classifier"] = exact["token_embedding"]
    expected = replace(written, **exact)
    folder = folders.write(tmp_path / "m", folders.config(written), folders.tensors(written, dtype), shards)
    found = read_model(folder)
    assert (found.shape, found.shared_classifier, found.bos, found.stops) == (SHAPE, shared, 1, (2,))
    assert (found.classifier is found.token_embedding) is shared
    assert len(arrays(found)) == TENSORS
    for name, array in arrays(found).items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, exact[name], name)
    tokens = np.arange(9)
    np.testing.assert_array_equal(FloatModel(found).forward_all(tokens), FloatModel(expected).forward_all(tokens))


def rotated(folder_layout, positions, inverse):
    """What `transformers` does to a head: element i turns with element i + half of it."""
    angles = np.outer(positions, inverse)
    first, second = np.split(folder_layout, 2, axis=-1)
    cos, sin = np.cos(angles), np.sin(angles)
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


@pytest.mark.parametrize("kind", ["plain", "linear", "llama3"])
def test_scores_are_those_of_the_folders_own_layout(tmp_path, kind):
    """Queries on keys of every two positions, by the folder's matrices and its way to turn them."""
    written = random_checkpoint(replace(SHAPE, seq_len=64), seed=4)
    scaling = {"plain": None, "linear": dict(type="linear", factor=4.0), "llama3": LLAMA3}[kind]
    stored = folders.tensors(written)
    folder = folders.write(tmp_path / "m", folders.config(written, rope_scaling=scaling), stored)
    model = FloatModel(read_model(folder), np.float64, taps=True)
    tokens = np.arange(32) % SHAPE.vocab_size
    model.forward_all(tokens)
    x = written.token_embedding[tokens].astype(np.float64)
    x = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + SHAPE.norm_eps) * written.rms_att[0]
    inverse = 500000.0 ** -(np.arange(0, SHAPE.head_dim, 2) / SHAPE.head_dim)
    if kind == "linear":
        inverse = inverse / 4
    if kind == "llama3":  # both pairs turn too slowly for the first, and fast enough for the other
        turns = 64 * inverse / (2 * np.pi)
        assert turns[0] > 4 and turns[1] < 1
        inverse = inverse / np.array([1, 8])
    heads = {}
    for name, count in (("q", SHAPE.n_heads), ("k", SHAPE.n_kv_heads)):
        projected = x @ stored[f"model.layers.0.self_attn.{name}_proj.weight"].astype(np.float64).T
        each = projected.reshape(32, count, -1).transpose(1, 0, 2)
        heads[name] = rotated(each, np.arange(32), inverse)
    expected = heads["q"] @ np.repeat(heads["k"], SHAPE.kv_mul, axis=0).transpose(0, 2, 1)
    taps = {n: model.taps[n][0][0].reshape(32, -1, SHAPE.head_dim).transpose(1, 0, 2) for n in ("q", "k")}
    scores = taps["q"] @ np.repeat(taps["k"], SHAPE.kv_mul, axis=0).transpose(0, 2, 1)
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_llama3_between_the_two_limits():
    """Llama 3.1's own numbers: unchanged, in between and an eighth, in that order, and never back."""
    shape = ModelShape(4096, 14336, 32, 32, 8, 128256, 8192, rope_theta=500000.0)
    divisors = np.array(llama3(shape.head_dim, shape.rope_theta, 8.0, 1.0, 4.0, 8192.0, "test"))
    wavelengths = 2 * np.pi * 500000.0 ** (np.arange(0, 128, 2) / 128)
    between = (wavelengths > 8192 / 4) & (wavelengths < 8192)
    assert (divisors[wavelengths < 8192 / 4] == 1).all() and (divisors[wavelengths > 8192] == 8).all()
    assert between.sum() == 6 and (np.diff(divisors) >= 0).all()
    smooth = (8192 / wavelengths[between] - 1) / 3
    np.testing.assert_allclose(1 / divisors[between], (1 - smooth) / 8 + smooth)


@pytest.fixture
def written():
    return random_checkpoint(SHAPE, seed=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(model_type="qwen2"), ("model_type must be llama or mistral", "qwen2", "biases of queries")),
        (dict(model_type="unheard"), ("model_type must be llama or mistral", "'unheard'")),
        (dict(model_type=["llama"]), ("model_type must be",)),
        (dict(head_dim=8), ("head_dim must be hidden_size / num_attention_heads = 4, is 8",)),
        (dict(hidden_act="gelu"), ("hidden_act must be", "silu", "gelu")),
        (dict(attention_bias=True), ("attention_bias must be false", "true")),
        (dict(mlp_bias=True), ("mlp_bias must be false", "true")),
        (dict(sliding_window=8), ("sliding_window must be null or at least the context of 16, is 8",)),
        (dict(layer_types=["sliding_attention"] * 2), ("layer_types must all be full_attention",)),
        (dict(rope_scaling=dict(type="yarn", factor=2.0)), ("must be default, linear or llama3", "yarn")),
        (dict(rope_scaling=dict(type="linear")), ("rope_scaling", "factor must be a number, is null")),
        (dict(rope_scaling=dict(type="linear", factor=0.5)), ("factor", "at least 1", "0.5")),
        (dict(rope_scaling=dict(LLAMA3, low_freq_factor=4.0)), ("low_freq_factor", "below high_freq_factor")),
        (dict(rope_scaling=7), ("rope_scaling must be an object, is 7",)),
        (dict(partial_rotary_factor=0.5), ("partial_rotary_factor", "0.5")),
        (dict(quantization_config=dict(quant_method="gptq")), ("weights must be floats", "gptq")),
        (dict(hidden_size="16"), ("hidden_size must be an integer", '"16"')),
        (dict(hidden_size=None), ("hidden_size must be an integer", "null")),
        (dict(num_hidden_layers=True), ("num_hidden_layers must be an integer", "true")),
        (dict(num_hidden_layers=3), ("model.layers.2.input_layernorm.weight is missing",)),
        (dict(num_hidden_layers=1), ("model.layers.1", "none of a Llama model's")),
        (dict(num_hidden_layers=1 << 40), ("n_layers must be 1 to 1024",)),
        (dict(intermediate_size=25), ("gate_proj.weight must have shape [25, 16], has [24, 16]",)),
        (dict(rms_norm_eps=0), ("norm_eps", "between 0 and 1")),
        (dict(rope_theta=-1.0), ("rope_theta", "above 1")),
        (dict(eos_token_id=[1, 2, 3, 4, 5]), ("at most 4 stop tokens, are 5",)),
        (dict(eos_token_id=32), ("eos_token_id must be 0 to 31, is 32",)),
        (dict(bos_token_id="<s>"), ("bos_token_id must be token ids",)),
        (dict(tie_word_embeddings="yes"), ("tie_word_embeddings must be false or true",)),
        (dict(tie_word_embeddings=False), ("lm_head.weight is missing",)),
    ],
)
def test_what_is_different_is_named(tmp_path, written, change, words):
    refused(folders.write(tmp_path / "m", folders.config(written, **change), folders.tensors(written)), *words)


def test_newer_files_say_the_rotation_in_one_place(tmp_path, written):
    """And Mistral without a window, or with one that covers the context, is a Llama."""
    values = folders.config(written, rope_parameters=dict(LLAMA3, rope_theta=70000.0), sliding_window=16)
    del values["rope_theta"]
    found = read_model(folders.write(tmp_path / "m", values | dict(model_type="mistral"), folders.tensors(written)))
    assert found.shape.rope_theta == 70000.0
    assert len(found.shape.rope_divisors) == SHAPE.head_dim // 2 and max(found.shape.rope_divisors) == 8


def test_what_a_configuration_leaves_out(tmp_path, written):
    """The values that `transformers` takes then."""
    values = folders.config(written)
    for key in ("rope_theta", "rms_norm_eps", "bos_token_id", "eos_token_id", "hidden_act"):
        del values[key]
    found = read_model(folders.write(tmp_path / "m", values | dict(num_key_value_heads=2), folders.tensors(written)))
    assert (found.shape.rope_theta, found.shape.norm_eps, found.bos, found.stops) == (10000.0, 1e-6, 1, (2,))


def test_what_is_given_counts_instead(tmp_path, written):
    folder = folders.write(tmp_path / "m", folders.config(written), folders.tensors(written))
    assert read_model(folder, rope_theta=30.0, norm_eps=1e-3).shape == replace(SHAPE, rope_theta=30.0, norm_eps=1e-3)


def test_stop_tokens_of_generation_come_first(tmp_path, written):
    folder = folders.write(tmp_path / "m", folders.config(written, bos_token_id=None), folders.tensors(written))
    (folder / "generation_config.json").write_text(json.dumps(dict(eos_token_id=[7, 2])))
    assert (read_model(folder).stops, read_model(folder).bos) == ((7, 2), 7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t | {"model.layers.0.self_attn.q_proj.bias": np.zeros(16, np.float32)}, ("q_proj.bias", "none of")),
        (lambda t: t | {"model.norm.weight": np.ones(15, np.float32)}, ("must have shape [16], has [15]",)),
        (lambda t: t | {"model.norm.weight": np.ones(16, np.int8)}, ("must be BF16, F16, F32, is I8",)),
        (lambda t: t | {"model.norm.weight": np.full(16, np.inf, np.float16)}, ("model.norm.weight[0]", "finite")),
        (lambda t: {n: a for n, a in t.items() if "embed" not in n}, ("embed_tokens.weight is missing",)),
    ],
)
def test_tensors(tmp_path, written, change, words):
    refused(folders.write(tmp_path / "m", folders.config(written), change(folders.tensors(written))), *words)


def test_tensors_that_do_not_matter(tmp_path, written):
    """Frequencies of older files, and a classifier beside a shared one."""
    spare = {"model.layers.0.self_attn.rotary_emb.inv_freq": np.ones(2, np.float32)}
    spare["lm_head.weight"] = np.zeros_like(written.classifier)
    folder = folders.write(tmp_path / "m", folders.config(written), folders.tensors(written) | spare)
    np.testing.assert_array_equal(read_model(folder).classifier, written.token_embedding)


def test_files_of_the_folder(tmp_path, written):
    folder = folders.write(tmp_path / "m", folders.config(written), folders.tensors(written), shards=2)
    shard, index = folder / "model-00001-of-00002.safetensors", folder / "model.safetensors.index.json"
    data, before = shard.read_bytes(), digest_of(folder).hexdigest()
    shard.write_bytes(data[:-1])
    assert digest_of(folder).hexdigest() != before
    refused(folder, shard.name, "cannot be read as safetensors")
    shard.write_bytes(b"")
    refused(folder, shard.name, "cannot be read as safetensors")
    shard.unlink()
    refused(folder, shard.name, "cannot be read as safetensors")
    for place in ("../model.safetensors", "pytorch_model.bin", 7):
        index.write_text(json.dumps(dict(weight_map={"model.norm.weight": place})))
        refused(folder, "must name .safetensors files of its folder", str(place))
    index.unlink()
    refused(folder, "must have model.safetensors or model.safetensors.index.json, has neither")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", ("is no JSON",)),
        (b"\xff\xfe", ("is no JSON",)),
        (b"[" * 100000, ("is no JSON",)),
        (b'{"hidden_size": ' + b"1" * 5000 + b"}", ("is no JSON",)),
        (b"[1]", ("must have a JSON object, has list",)),
    ],
)
def test_configuration_that_is_no_object(tmp_path, written, text, words):
    folder = folders.write(tmp_path / "m", {}, folders.tensors(written))
    (folder / "config.json").write_bytes(text)
    refused(folder, "config.json", *words)


def test_folder_of_something_else(tmp_path):
    refused(tmp_path, "is a folder without config.json, no Hugging Face model")
    (tmp_path / "config.json").mkdir()
    refused(tmp_path, "config.json: cannot be read: Is a directory")


def test_a_file_in_place_of_tensors(tmp_path, written):
    folder = folders.write(tmp_path / "m", folders.config(written), {})
    save_file({"other": np.ones(3, np.float32)}, folder / "model.safetensors")
    refused(folder, "tensor other is none of a Llama model's")
