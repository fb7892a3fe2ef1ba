"""GGUF files written with the package `gguf` from a Checkpoint's arrays, for tests of the reader."""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, dequantize, quantize

NAMES = {
    "rms_att": "attn_norm", "wq": "attn_q", "wk": "attn_k", "wv": "attn_v", "wo": "attn_output", "rms_ffn": "ffn_norm",
    "w1": "ffn_gate", "w2": "ffn_down", "w3": "ffn_up",
}  # fmt: skip


def tensors(checkpoint) -> dict[str, np.ndarray]:
    """By the names of a file."""
    found = {"token_embd.weight": checkpoint.token_embedding, "output_norm.weight": checkpoint.rms_final}
    if not checkpoint.shared_classifier:
        found["output.weight"] = checkpoint.classifier
    for layer in range(checkpoint.shape.n_layers):
        for name, place in NAMES.items():
            found[f"blk.{layer}.{place}.weight"] = getattr(checkpoint, name)[layer]
    return found


def kind_of(array: np.ndarray, kind: str) -> GGMLQuantizationType:
    """Gains stay float32, as in all real files."""
    return GGMLQuantizationType[kind if array.ndim == 2 else "F32"]


def dequantised(array: np.ndarray, kind: str) -> np.ndarray:
    """What an array is when it has been in a file."""
    kind = kind_of(array, kind)
    return dequantize(quantize(array, kind), kind).astype(np.float32)


def write(path: Path, checkpoint, kind: str = "F32", change=None, stored=None, arch: str = "llama") -> Path:
    """change: told the writer behind the usual keys; stored: tensors in place of the checkpoint's."""
    shape, writer = checkpoint.shape, GGUFWriter(path, arch)
    writer.add_block_count(shape.n_layers)
    writer.add_context_length(shape.seq_len)
    writer.add_embedding_length(shape.dim)
    writer.add_feed_forward_length(shape.hidden_dim)
    writer.add_head_count(shape.n_heads)
    writer.add_head_count_kv(shape.n_kv_heads)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_rope_dimension_count(shape.head_dim)
    writer.add_layer_norm_rms_eps(shape.norm_eps)
    writer.add_vocab_size(shape.vocab_size)
    if change:
        change(writer)
    for name, array in (tensors(checkpoint) if stored is None else stored).items():
        raw = kind_of(array, kind)
        writer.add_tensor(name, quantize(np.ascontiguousarray(array), raw), raw_dtype=raw)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
