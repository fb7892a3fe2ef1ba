"""Folders that `transformers` saves, and the logits that it computes itself: `make readers`."""

import numpy as np
import pytest

from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.readers.model import read_model

pytestmark = pytest.mark.models

POSITIONS, TOLERANCE = 96, 1e-4
LLAMA3 = dict(
    rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64
)
SMALL = dict(
    vocab_size=97,
    hidden_size=64,
    intermediate_size=88,
    num_hidden_layers=2,
    num_attention_heads=8,
    num_key_value_heads=2,
    max_position_embeddings=128,
    initializer_range=0.3,  # so that heads attend to something, and logits are not all alike
)
CONFIGURATIONS = {
    "tied": dict(tie_word_embeddings=True),
    "untied": dict(tie_word_embeddings=False),
    "llama3": dict(rope_parameters=dict(LLAMA3, rope_theta=500000.0)),
    "linear": dict(rope_parameters=dict(rope_type="linear", factor=4.0, rope_theta=10000.0)),
    # SmolLM2-135M: 9 heads of 64 on 3, 576 and 1536 wide
    "smollm2": dict(
        hidden_size=72,
        intermediate_size=192,
        num_attention_heads=9,
        num_key_value_heads=3,
        rope_parameters=dict(rope_type="default", rope_theta=100000.0),
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
    ),
    "epsilon": dict(rms_norm_eps=1e-3),
}


@pytest.fixture(scope="module")
def libraries():
    return pytest.importorskip("torch"), pytest.importorskip("transformers")


def randomised(torch, model):
    """Gains too: those of a fresh model are all one."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def saved(libraries, folder, kind, dtype, shards, **more):
    torch, transformers = libraries
    torch.manual_seed(7)
    names = {"llama": ("LlamaConfig", "LlamaForCausalLM"), "mistral": ("MistralConfig", "MistralForCausalLM")}[kind]
    config, model = (getattr(transformers, name) for name in names)
    made = randomised(torch, model(config(**SMALL | more))).to(getattr(torch, dtype))
    made.save_pretrained(folder, max_shard_size="40KB" if shards else "1GB")
    assert (len(list(folder.glob("*.safetensors"))) > 1) is shards
    return model.from_pretrained(folder, dtype=torch.float32).eval()


def same_logits(libraries, folder, model):
    torch = libraries[0]
    tokens = np.random.default_rng(3).integers(0, SMALL["vocab_size"], POSITIONS)
    with torch.no_grad():
        expected = model(torch.tensor(tokens[None])).logits[0].numpy()
    found = FloatModel(read_model(folder)).forward_all(tokens)
    assert found.shape == expected.shape == (POSITIONS, SMALL["vocab_size"])
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(found, expected, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("shards", [False, True])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_logits(libraries, tmp_path, name, dtype, shards):
    same_logits(libraries, tmp_path, saved(libraries, tmp_path, "llama", dtype, shards, **CONFIGURATIONS[name]))


@pytest.mark.parametrize("window", [None, 128])
def test_mistral_without_a_window(libraries, tmp_path, window):
    same_logits(libraries, tmp_path, saved(libraries, tmp_path, "mistral", "bfloat16", True, sliding_window=window))
