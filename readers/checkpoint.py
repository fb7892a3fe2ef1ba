"""Reader and writer of llama2.c checkpoints, version 0.

Layout, all little-endian: seven int32 (dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len; a negative
vocab_size marks an unshared classifier), then float32 tensors in the order of `_layout`, as `export.py` and `run.c` of
llama2.c have them.
"""

import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import write_whole
from llama2_myhdl.readers.file_kind import LOOK, file_kind
from llama2_myhdl.spec.config import ConfigError, ModelShape
from llama2_myhdl.spec.stops import STOP_IDS

WHAT_IS_READ = "llama2.c checkpoints of version 0 are read"
_HEADER = struct.Struct("<7i")
MOST_STOPS = 4  # stop tokens of a model
FIELDS = ("dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len")
# Generous sanity limits (LLaMA-2 70B fits): a random file must not make the reader ask for terabytes.
_LIMITS = {
    "dim": 1 << 16,
    "hidden_dim": 1 << 18,
    "n_layers": 1 << 10,
    "n_heads": 1 << 10,
    "n_kv_heads": 1 << 10,
    "vocab_size": 1 << 20,
    "seq_len": 1 << 24,
}


@dataclass(frozen=True)
class Checkpoint:
    """A model in float32; shapes use L = n_layers.

    token_embedding [vocab, dim], rms_att and rms_ffn [L, dim], wq and wo [L, dim, dim], wk and wv [L, kv_dim, dim],
    w1 and w3 [L, hidden, dim], w2 [L, dim, hidden], rms_final [dim], classifier [vocab, dim] (the embedding's own array
    when shared).

    bos: the token that begins a text; stops: those that end one, at most `MOST_STOPS`.
    """

    shape: ModelShape
    token_embedding: np.ndarray
    rms_att: np.ndarray
    wq: np.ndarray
    wk: np.ndarray
    wv: np.ndarray
    wo: np.ndarray
    rms_ffn: np.ndarray
    w1: np.ndarray
    w2: np.ndarray
    w3: np.ndarray
    rms_final: np.ndarray
    classifier: np.ndarray
    shared_classifier: bool
    bos: int = STOP_IDS[0]
    stops: tuple[int, ...] = STOP_IDS


def _layout(shape: ModelShape, shared: bool) -> dict[str, tuple[int, ...]]:
    """Tensor names and shapes in file order; names starting with "_" are stored but not used."""
    layers, dim, hidden, kv = shape.n_layers, shape.dim, shape.hidden_dim, shape.kv_dim
    layout = {
        "token_embedding": (shape.vocab_size, dim),
        "rms_att": (layers, dim),
        "wq": (layers, dim, dim),
        "wk": (layers, kv, dim),
        "wv": (layers, kv, dim),
        "wo": (layers, dim, dim),
        "rms_ffn": (layers, dim),
        "w1": (layers, hidden, dim),
        "w2": (layers, dim, hidden),
        "w3": (layers, hidden, dim),
        "rms_final": (dim,),
        "_freq_cis_real": (shape.seq_len, shape.head_dim // 2),
        "_freq_cis_imag": (shape.seq_len, shape.head_dim // 2),
    }
    if not shared:
        layout["classifier"] = (shape.vocab_size, dim)
    return layout


def tensor_shapes(shape: ModelShape, shared: bool) -> dict[str, tuple[int, ...]]:
    """Shapes of a Checkpoint's tensors by name; without the classifier where it is shared."""
    return {name: dims for name, dims in _layout(shape, shared).items() if not name.startswith("_")}


def check_header(fields: dict[str, int], name: str = "checkpoint") -> None:
    """Refuse numbers that no model can have, before anything is allocated; `fields` holds the seven header names."""
    for field in FIELDS:
        value, limit = fields[field], _LIMITS[field]
        if not 1 <= value <= limit:
            raise ModelError(f"{name}: header field {field} must be 1 to {limit}, is {value}")
    dim, heads, kv_heads = fields["dim"], fields["n_heads"], fields["n_kv_heads"]
    if dim % heads:
        raise ModelError(f"{name}: header field dim must be a multiple of n_heads = {heads}, is {dim}")
    if heads % kv_heads:
        raise ModelError(f"{name}: header field n_heads must be a multiple of n_kv_heads = {kv_heads}, is {heads}")
    if dim // heads % 2:
        raise ModelError(f"{name}: head size dim / n_heads must be even for rotary pairs, is {dim // heads}")


def read_checkpoint(
    path: str | os.PathLike,
    *,
    rope_theta: float | None = None,
    norm_eps: float | None = None,
    read: str = WHAT_IS_READ,
) -> Checkpoint:
    """A Checkpoint from a file of version 0. Raises ModelError for bad content or an unreadable file.

    read: what the caller reads, for the refusal of a file of another kind.

    The file does not say the base of the rotary frequencies nor the epsilon of the norms: `rope_theta` and `norm_eps`
    do, for models that were trained with others than those of `ModelShape`.
    """
    given = {"rope_theta": rope_theta, "norm_eps": norm_eps}
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            given = {key: value for key, value in given.items() if value is not None}
            return _read(file, size, str(path), given, read)
    except IsADirectoryError as error:
        raise ModelError(f"{path}: is a folder; {read}") from error
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error


def _fields(head: bytes, name: str) -> tuple[dict[str, int], bool]:
    """The header's seven numbers, and whether the classifier is the embedding."""
    if len(head) < _HEADER.size:
        raise ModelError(f"{name}: truncated: the header needs {_HEADER.size} bytes, the file has {len(head)}")
    fields = dict(zip(FIELDS, _HEADER.unpack(head[: _HEADER.size]), strict=True))
    shared = fields["vocab_size"] >= 0
    fields["vocab_size"] = abs(fields["vocab_size"])
    check_header(fields, name)
    return fields, shared


def _read(file: BinaryIO, size: int, name: str, given: dict[str, float], read: str) -> Checkpoint:
    head = file.read(LOOK)
    try:
        fields, shared = _fields(head, name)
    except ModelError as error:
        if kind := file_kind(head, size):
            raise ModelError(f"{name}: is {kind}; {read}") from error
        raise
    try:
        shape = ModelShape(**fields, **given)
    except ConfigError as error:
        raise ModelError(f"{name}: {error}") from error
    layout = _layout(shape, shared)
    expected = _HEADER.size + 4 * sum(math.prod(dims) for dims in layout.values())
    if size < expected:
        raise ModelError(f"{name}: truncated: its header asks for {expected} bytes, the file has {size}")
    if size > expected:
        raise ModelError(
            f"{name}: {size - expected} surplus bytes: its header asks for {expected}, the file has {size}"
        )
    file.seek(_HEADER.size)
    tensors = {}
    for key, dims in layout.items():
        tensor = np.frombuffer(file.read(4 * math.prod(dims)), "<f4").reshape(dims).astype(np.float32, copy=False)
        if not key.startswith("_"):
            tensors[key] = finite(tensor, f"{name}: {key}")
    tensors.setdefault("classifier", tensors["token_embedding"])
    return Checkpoint(shape=shape, shared_classifier=shared, **tensors)


def finite(tensor: np.ndarray, name: str) -> np.ndarray:
    """The tensor itself. ModelError, naming it, for the first element that is not a number or infinite."""
    bad = np.argwhere(~np.isfinite(tensor))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise ModelError(f"{name}{list(where)} must be finite, is {tensor[where]}")
    return tensor


def write_checkpoint(checkpoint: Checkpoint, path: str | os.PathLike) -> None:
    """Write version 0, through a temporary name; the skipped rotary tables are written as llama2.c exports them."""
    shape, shared = checkpoint.shape, checkpoint.shared_classifier
    fields = {field: getattr(shape, field) for field in FIELDS}
    check_header(fields, str(path))
    fields["vocab_size"] *= 1 if shared else -1
    pairs = np.arange(0, shape.head_dim, 2) / shape.head_dim
    angles = np.outer(np.arange(shape.seq_len), shape.rope_theta**-pairs)
    tables = {"_freq_cis_real": np.cos(angles), "_freq_cis_imag": np.sin(angles)}
    write_whole(path, _chunks(checkpoint, fields, tables, str(path)))


def _chunks(checkpoint: Checkpoint, fields: dict, tables: dict, name: str) -> Iterator[bytes]:
    yield _HEADER.pack(*fields.values())
    for key, dims in _layout(checkpoint.shape, checkpoint.shared_classifier).items():
        tensor = tables[key] if key in tables else getattr(checkpoint, key)
        if tensor.shape != dims:
            raise ModelError(f"{name}: {key} must have shape {dims}, has {tensor.shape}")
        yield np.ascontiguousarray(tensor, "<f4").tobytes()


def random_checkpoint(shape: ModelShape, seed: int, shared: bool = True) -> Checkpoint:
    """A model with random weights of realistic scales, the same for the same seed: for tests."""
    rng = np.random.default_rng(seed)
    tensors = {}
    for key, dims in _layout(shape, shared).items():
        if key.startswith("rms"):
            tensors[key] = (1 + 0.2 * rng.standard_normal(dims)).astype(np.float32)
        elif not key.startswith("_"):
            scale = 0.5 if key == "token_embedding" else dims[-1] ** -0.5
            tensors[key] = (scale * rng.standard_normal(dims)).astype(np.float32)
    tensors.setdefault("classifier", tensors["token_embedding"])
    return Checkpoint(shape=shape, shared_classifier=shared, **tensors)
