"""What stands in front of a GGUF file's tensors: keys with values, and where each tensor lies.

Written here, with names and sizes of types from the package `gguf`, because that package's reader believes every count
in a file: one flipped bit in the length of an array keeps it busy for hours.
"""

import math
import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType

from llama2_myhdl.base.errors import ModelError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
_ALIGNMENT = 32  # unless the file says another
_MOST_DIMENSIONS = 4
_NUMBERS = {
    GGUFValueType.UINT8: "<B", GGUFValueType.INT8: "<b", GGUFValueType.UINT16: "<H", GGUFValueType.INT16: "<h",
    GGUFValueType.UINT32: "<I", GGUFValueType.INT32: "<i", GGUFValueType.FLOAT32: "<f", GGUFValueType.BOOL: "<?",
    GGUFValueType.UINT64: "<Q", GGUFValueType.INT64: "<q", GGUFValueType.FLOAT64: "<d",
}  # fmt: skip


class GgufArray:
    """An array of a header, not taken out of the file until it is asked for."""

    def __init__(self, cursor: "_Cursor", kind: GGUFValueType, count: int, start: int):
        self._cursor, self._kind, self._count, self._start = cursor, kind, count, start

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator:
        cursor = self._cursor.at(self._start)
        return (cursor.scalar(self._kind) for _ in range(self._count))

    def __repr__(self) -> str:
        return f"an array of {self._count}"


@dataclass(frozen=True)
class GgufTensor:
    """dims: as numpy has them, the last one along a row; offset: of its first byte in the file."""

    dims: tuple[int, ...]
    kind: GGMLQuantizationType
    offset: int
    size: int


class GgufFile:
    """values: by key, numbers, texts and GgufArrays; tensors: by name. Close it behind the last use of its arrays."""

    def __init__(self, path: str | os.PathLike):
        """Raises ModelError for bad content; OSError passes."""
        self.name = str(path)
        with open(path, "rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.values, self.tensors = _read(_Cursor(self.data, 0, self.name))

    def bytes_of(self, tensor: GgufTensor) -> np.ndarray:
        """uint8, a row for each row of the tensor."""
        flat = np.frombuffer(self.data, np.uint8, tensor.size, tensor.offset)
        return flat.reshape(math.prod(tensor.dims[:-1]), -1)


class _Cursor:
    """A place in the file, moved on by what is read; nothing is read beyond the end."""

    def __init__(self, data: mmap.mmap, place: int, name: str):
        self.data, self.place, self.name = data, place, name

    def at(self, place: int) -> "_Cursor":
        return _Cursor(self.data, place, self.name)

    def skip(self, size: int) -> int:
        """The place from which so many bytes are passed over."""
        start = self.place
        if size > len(self.data) - start:
            raise ModelError(
                f"{self.name}: truncated: {size} bytes are to stand at byte {start}, the file has {len(self.data)}"
            )
        self.place = start + size
        return start

    def number(self, format_: str):
        return struct.unpack_from(format_, self.data, self.skip(struct.calcsize(format_)))[0]

    def text(self) -> str:
        size = self.number("<Q")
        start = self.skip(size)
        try:
            return self.data[start : start + size].decode()
        except UnicodeDecodeError as error:
            raise ModelError(f"{self.name}: the text at byte {start} is no UTF-8: {error.reason}") from error

    def kind(self) -> GGUFValueType:
        number = self.number("<I")
        try:
            return GGUFValueType(number)
        except ValueError:
            raise ModelError(f"{self.name}: unknown type {number} of a value at byte {self.place - 4}") from None

    def scalar(self, kind: GGUFValueType):
        if kind == GGUFValueType.STRING:
            return self.text()
        number = self.number(_NUMBERS[kind])
        # the shortest decimal with that float32: 1e-05 rather than 9.999999747378752e-06
        return float(str(np.float32(number))) if kind == GGUFValueType.FLOAT32 else number

    def value(self):
        kind = self.kind()
        if kind != GGUFValueType.ARRAY:
            return self.scalar(kind)
        inner, count = self.kind(), self.number("<Q")
        if inner == GGUFValueType.ARRAY:
            raise ModelError(f"{self.name}: arrays of arrays are not read, there is one at byte {self.place}")
        array = GgufArray(self, inner, count, self.place)
        if inner != GGUFValueType.STRING:
            self.skip(count * struct.calcsize(_NUMBERS[inner]))
            return array
        for _ in range(count):  # ends with the file, whatever the count says
            self.skip(self.number("<Q"))
        return array


def _read(cursor: _Cursor) -> tuple[dict, dict[str, GgufTensor]]:
    name = cursor.name
    cursor.skip(len(MAGIC))
    version = cursor.number("<I")
    if version not in VERSIONS:
        what = "big-endian" if version & 0xFFFF == 0 else f"version {version}"
        raise ModelError(f"{name}: must be a little-endian GGUF file of version 2 or 3, is {what}")
    tensor_count, value_count = cursor.number("<Q"), cursor.number("<Q")
    values = {}
    for _ in range(value_count):
        key = cursor.text()
        if key in values:
            raise ModelError(f"{name}: key {key[:60]!r} is there twice")
        values[key] = cursor.value()
    alignment = values.get("general.alignment", _ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise ModelError(f"{name}: general.alignment must be a power of two, is {alignment!r}")
    found = {}
    for _ in range(tensor_count):
        key = cursor.text()
        if key in found:
            raise ModelError(f"{name}: tensor {key[:60]!r} is there twice")
        found[key] = _tensor(cursor, f"{name}: tensor {key[:60]!r}")
    start = -(-cursor.place // alignment) * alignment
    return values, {key: _placed(tensor, start, cursor, key[:60]) for key, tensor in found.items()}


def _tensor(cursor: _Cursor, name: str) -> GgufTensor:
    count = cursor.number("<I")
    if not 1 <= count <= _MOST_DIMENSIONS:
        raise ModelError(f"{name}: dimensions must be 1 to {_MOST_DIMENSIONS}, are {count}")
    dims = tuple(cursor.number("<Q") for _ in range(count))[::-1]
    number = cursor.number("<I")
    try:
        kind = GGMLQuantizationType(number)
    except ValueError:
        raise ModelError(f"{name}: unknown type {number}") from None
    block, size = GGML_QUANT_SIZES[kind]
    if 0 in dims or dims[-1] % block:
        raise ModelError(f"{name}: a row of {kind.name} must have a multiple of {block} elements, has {dims[-1]}")
    return GgufTensor(dims, kind, cursor.number("<Q"), math.prod(dims) // block * size)


def _placed(tensor: GgufTensor, start: int, cursor: _Cursor, key: str) -> GgufTensor:
    end = start + tensor.offset + tensor.size
    if end > len(cursor.data):
        raise ModelError(
            f"{cursor.name}: truncated: tensor {key!r} ends at byte {end}, the file has {len(cursor.data)}"
        )
    return GgufTensor(tensor.dims, tensor.kind, start + tensor.offset, tensor.size)
