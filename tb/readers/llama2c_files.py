"""llama2.c files of versions 1 and 2, laid out as its `export.py` does, for tests of the reader."""

import struct

import numpy as np

NORMS = ("rms_att", "rms_ffn", "rms_final")
MATRICES = ("token_embedding", "wq", "wk", "wv", "wo", "w1", "w2", "w3")


def header(checkpoint, version: int, group: int = 0) -> bytes:
    s = checkpoint.shape
    numbers = (s.dim, s.hidden_dim, s.n_layers, s.n_heads, s.n_kv_heads, s.vocab_size, s.seq_len)
    start = b"24ka" + struct.pack("<i7iB", version, *numbers, checkpoint.shared_classifier)
    return (start + (struct.pack("<i", group) if group else b"")).ljust(256, b"\0")


def layers(checkpoint, name: str) -> list[np.ndarray]:
    """A tensor in the pieces that the file has it in."""
    tensor = getattr(checkpoint, name)
    return [tensor] if name in ("rms_final", "token_embedding", "classifier") else list(tensor)


def matrices(checkpoint) -> tuple[str, ...]:
    return MATRICES if checkpoint.shared_classifier else (*MATRICES, "classifier")


def version1(checkpoint) -> bytes:
    names = (*NORMS, *matrices(checkpoint))
    return header(checkpoint, 1) + b"".join(part.tobytes() for name in names for part in layers(checkpoint, name))


def rounded(part: np.ndarray, group: int) -> tuple[np.ndarray, np.ndarray]:
    """int8 groups of a matrix and their scales, the largest of a group at 127."""
    groups = part.reshape(-1, group)
    scales = np.maximum(np.abs(groups).max(axis=1) / np.float32(127), np.float32(1e-30))
    return np.round(groups / scales[:, None]).astype(np.int8), scales


def version2(checkpoint, group: int) -> bytes:
    parts = [header(checkpoint, 2, group)]
    parts += [part.tobytes() for name in NORMS for part in layers(checkpoint, name)]
    for name in matrices(checkpoint):
        for part in layers(checkpoint, name):
            parts += [array.tobytes() for array in rounded(part, group)]
    return b"".join(parts)


def dequantised(checkpoint, group: int) -> dict[str, np.ndarray]:
    """The tensors that a file of version 2 stands for."""
    found = {name: getattr(checkpoint, name) for name in NORMS}
    for name in matrices(checkpoint):
        parts = [(q * s[:, None]).ravel() for q, s in (rounded(part, group) for part in layers(checkpoint, name))]
        found[name] = np.concatenate(parts).reshape(getattr(checkpoint, name).shape)
    return found | {"classifier": found.get("classifier", found["token_embedding"])}
