"""Hugging Face folders written with safetensors from a Checkpoint's arrays, for tests of the reader."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

TYPES = {"bfloat16": ml_dtypes.bfloat16, "float16": np.float16, "float32": np.float32}
NAMES = {
    "rms_att": "input_layernorm", "wq": "self_attn.q_proj", "wk": "self_attn.k_proj", "wv": "self_attn.v_proj",
    "wo": "self_attn.o_proj", "rms_ffn": "post_attention_layernorm", "w1": "mlp.gate_proj", "w2": "mlp.down_proj",
    "w3": "mlp.up_proj",
}  # fmt: skip


def halves(matrix: np.ndarray, head_dim: int) -> np.ndarray:
    """The rows of each head with the first of every rotary pair in front, the second ones behind."""
    heads = [matrix[start : start + head_dim] for start in range(0, len(matrix), head_dim)]
    return np.concatenate([part for head in heads for part in (head[0::2], head[1::2])])


def tensors(checkpoint, dtype: str = "float32") -> dict[str, np.ndarray]:
    """By the names of a folder, in its layout."""
    found = {"model.embed_tokens.weight": checkpoint.token_embedding, "model.norm.weight": checkpoint.rms_final}
    if not checkpoint.shared_classifier:
        found["lm_head.weight"] = checkpoint.classifier
    for layer in range(checkpoint.shape.n_layers):
        for name, place in NAMES.items():
            tensor = getattr(checkpoint, name)[layer]
            if name in ("wq", "wk"):
                tensor = halves(tensor, checkpoint.shape.head_dim)
            found[f"model.layers.{layer}.{place}.weight"] = tensor
    return {name: np.ascontiguousarray(tensor.astype(TYPES[dtype])) for name, tensor in found.items()}


def config(checkpoint, **more) -> dict:
    shape = checkpoint.shape
    return dict(
        model_type="llama",
        hidden_act="silu",
        hidden_size=shape.dim,
        intermediate_size=shape.hidden_dim,
        num_hidden_layers=shape.n_layers,
        num_attention_heads=shape.n_heads,
        num_key_value_heads=shape.n_kv_heads,
        vocab_size=shape.vocab_size,
        max_position_embeddings=shape.seq_len,
        rope_theta=shape.rope_theta,
        rms_norm_eps=shape.norm_eps,
        tie_word_embeddings=checkpoint.shared_classifier,
        bos_token_id=1,
        eos_token_id=2,
    ) | more


def write(folder: Path, values: dict, stored: dict[str, np.ndarray], shards: int = 1) -> Path:
    """A folder with these contents; several shards have an index."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(values))
    if shards == 1:
        save_file(stored, folder / "model.safetensors")
        return folder
    places = {name: f"model-{k % shards + 1:05}-of-{shards:05}.safetensors" for k, name in enumerate(stored)}
    for place in set(places.values()):
        save_file({name: tensor for name, tensor in stored.items() if places[name] == place}, folder / place)
    (folder / "model.safetensors.index.json").write_text(json.dumps(dict(metadata={}, weight_map=places)))
    return folder
