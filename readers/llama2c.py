"""Reader of llama2.c checkpoints, versions 1 and 2, as `export.py` of llama2.c writes them.

A header of 256 bytes, little-endian: "ak42" as a uint32, int32 version, the seven int32 of version 0 (vocab_size always
positive), one byte that is 1 for a shared classifier, in version 2 an int32 group size; zeros up to the end. Then the
tensors, layer by layer inside each name: the norms' gains in float32, and the matrices, in float32 (version 1), or as
int8 of the whole matrix followed by a float32 scale for each group of them (version 2).
"""

import math
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.checkpoint import FIELDS, Checkpoint, check_header, finite, tensor_shapes
from llama2_myhdl.spec.config import ConfigError, ModelShape

MAGIC = 0x616B3432  # "ak42"
HEADER = 256
_START = struct.Struct("<Ii7iBi")
_NORMS = ("rms_att", "rms_ffn", "rms_final")
_MATRICES = ("token_embedding", "wq", "wk", "wv", "wo", "w1", "w2", "w3", "classifier")  # in file order, as the norms
_SINGLE = ("rms_final", "token_embedding", "classifier")  # not one a layer


def read_llama2c(path: str | os.PathLike, given: dict[str, float]) -> Checkpoint:
    """A Checkpoint from a file of version 1 or 2. given: `rope_theta` and `norm_eps`, which the file does not say.

    Raises ModelError for bad content; OSError passes.
    """
    with open(path, "rb") as file:
        return _read(file, os.fstat(file.fileno()).st_size, str(path), given)


def _read(file: BinaryIO, size: int, name: str, given: dict[str, float]) -> Checkpoint:
    head = file.read(HEADER)
    if len(head) < HEADER:
        raise ModelError(f"{name}: truncated: the header needs {HEADER} bytes, the file has {len(head)}")
    _, version, *numbers, shared, group = _START.unpack_from(head)
    if version not in (1, 2):
        raise ModelError(f"{name}: llama2.c version must be 0, 1 or 2, is {version}")
    fields = dict(zip(FIELDS, numbers, strict=True))
    check_header(fields, name)
    if shared > 1:
        raise ModelError(f"{name}: header field shared classifier must be 0 or 1, is {shared}")
    try:
        shape = ModelShape(**fields, **given)
    except ConfigError as error:
        raise ModelError(f"{name}: {error}") from error
    groups = group if version == 2 else None
    shapes = tensor_shapes(shape, bool(shared))
    _check_size(name, size, shapes, groups)
    tensors = {}
    for tensor in (*_NORMS, *_MATRICES):
        if tensor in shapes:
            part_group = None if tensor in _NORMS else groups
            parts = _parts(file, shapes[tensor], tensor in _SINGLE, part_group)
            tensors[tensor] = _whole(parts, shapes[tensor], f"{name}: {tensor}")
    tensors.setdefault("classifier", tensors["token_embedding"])
    return Checkpoint(shape=shape, shared_classifier=bool(shared), **tensors)


def _check_size(name: str, size: int, shapes: dict[str, tuple[int, ...]], group: int | None) -> None:
    """ModelError unless the file is as long as its header asks for, before any of it is read."""
    expected = HEADER
    for tensor, dims in shapes.items():
        elements = math.prod(dims)
        if group is None or tensor in _NORMS:
            expected += 4 * elements
            continue
        matrix = elements if tensor in _SINGLE else elements // dims[0]
        if group < 1 or matrix % group:
            raise ModelError(f"{name}: group size must divide the {matrix} elements of {tensor}, is {group}")
        expected += elements + 4 * (elements // group)
    if size != expected:
        what = "truncated" if size < expected else f"{size - expected} surplus bytes"
        raise ModelError(f"{name}: {what}: its header asks for {expected} bytes, the file has {size}")


def _parts(file: BinaryIO, dims: tuple[int, ...], single: bool, group: int | None) -> Iterator[np.ndarray]:
    """A tensor as the file has it: whole, or layer by layer, flat."""
    elements = math.prod(dims) if single else math.prod(dims[1:])
    for _ in range(1 if single else dims[0]):
        if group is None:
            yield np.frombuffer(file.read(4 * elements), "<f4")
        else:
            mantissas = np.frombuffer(file.read(elements), np.int8).reshape(-1, group)
            scales = np.frombuffer(file.read(4 * len(mantissas)), "<f4")
            with np.errstate(over="ignore", invalid="ignore"):  # what comes out is looked at
                yield (mantissas * scales[:, None]).reshape(-1)


def _whole(parts: Iterator[np.ndarray], dims: tuple[int, ...], name: str) -> np.ndarray:
    tensor, start = np.empty(math.prod(dims), np.float32), 0
    for part in parts:
        tensor[start : start + len(part)] = part
        start += len(part)
    return finite(tensor.reshape(dims), name)
