"""What lies in memory for a build that reads over a bus: tapes and embedding behind a page that says what they are.

`make pack` writes it beside the boot image, as OUTPUT.memory. Byte 0 of the file goes to the beginning of a page of
4 KB; tape_base of a tape and embedding_base are that address and its place:

    offset  type         content
    0       8 bytes      "L2MMEM" and two zero bytes
    8       uint32       format version
    12      6 x uint32   lanes, bits of a weight, hidden block, engines, bytes of a beat of the weights' bus and of the
                         embedding's (0: it is on the chip)
    36      uint32       checksum at the end of the boot image that it belongs to
    40      uint32       t, the number of parts: the engines' tapes in their order, the head's, the embedding
    44      t x (2 x uint64, uint32)  place in bytes, length in bytes, CRC-32
    44+20t  uint32       CRC-32 of the header up to here
    4096                 the parts, each at a beat of the widest bus

All numbers are little-endian.
"""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import write_whole
from llama2_myhdl.spec.axi import PAGE
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.embedding import row_bytes
from llama2_myhdl.spec.program import head_beats, layer_beats, layer_split
from llama2_myhdl.spec.quantised import QuantisedCheckpoint
from llama2_myhdl.weights.tape import Tape, boot_image, embedding_rows, read_tape, tape_image, write_tape

MAGIC, VERSION = b"L2MMEM\0\0", 3
_HEADER, _PLACE, _CRC = struct.Struct("<8s9I"), struct.Struct("<2QI"), struct.Struct("<I")
_BUILT = (
    *("lanes", "bits of a weight", "hidden block", "engines"),
    *("bytes of a beat for the weights", "bytes of a beat for the embedding"),
)


def _tapes(weights: QuantisedCheckpoint, build: BuildConfig) -> list[bytes]:
    low, extra = layer_split(weights.shape.n_layers, build.engines)
    lengths = [(low + (k < extra)) * layer_beats(weights.shape, build) for k in range(build.engines)]
    edges = np.cumsum([0, *lengths, head_beats(weights.shape, build)])
    image = tape_image(weights, build)
    return [image[a:b].tobytes() for a, b in zip(edges, edges[1:])]


def _table(weights: QuantisedCheckpoint, build: BuildConfig) -> bytes:
    """The embedding, as `spec/embedding.py` lays it out."""
    rows = embedding_rows(weights.embedding, build)
    rows = rows.reshape(len(rows), -1)
    image = np.zeros((len(rows), row_bytes(weights.shape, build)), np.uint8)
    image[:, : rows.shape[1]] = rows
    return image.tobytes()


def memory_image(weights: QuantisedCheckpoint, build: BuildConfig) -> list[bytes]:
    """The parts that a build reads from memory: the tapes of the engines in their order and that of the head, then the
    embedding; each where it has a bus for it."""
    weights.check(build)
    return [*(_tapes(weights, build) if build.weights else []), *([_table(weights, build)] if build.embedding else [])]


def parts_in_memory(build: BuildConfig) -> int:
    """How many parts that are."""
    return (build.engines + 1 if build.weights else 0) + (1 if build.embedding else 0)


def part_places(parts: Sequence[bytes], build: BuildConfig, first: int = PAGE) -> list[int]:
    """Addresses of the parts of `memory_image` one behind the other, from `first` on, as their buses want them."""
    size, places = max(bus.word_bytes for bus in build.buses), [first]
    for part in parts[:-1]:
        places.append(places[-1] + -(-len(part) // size) * size)
    return places


def memory_file(tape) -> Path:
    """The file beside a tape file."""
    return Path(f"{tape}.memory")


def _built(build: BuildConfig) -> tuple[int, ...]:
    beats = (bus.word_bytes if bus else 0 for bus in (build.weights, build.embedding))
    return build.lanes, build.weight_bits, build.hidden_block, build.engines, *beats


def _checksum(tape: Tape) -> int:
    return int.from_bytes(tape.beats[-1, :4].tobytes(), "little")


def write_memory(path, tape: Tape, parts: Sequence[bytes], build: BuildConfig) -> list[int]:
    """Write what `memory_image` made beside its boot image; whole or not at all. The places of the parts."""
    places = part_places(parts, build)
    head = _HEADER.pack(MAGIC, VERSION, *_built(build), _checksum(tape), len(parts))
    head += b"".join(_PLACE.pack(place, len(data), zlib.crc32(data)) for place, data in zip(places, parts))
    head += _CRC.pack(zlib.crc32(head))
    ends = [*places[1:], places[-1] + len(parts[-1])]
    filled = [data.ljust(end - place, b"\0") for data, place, end in zip(parts, places, ends)]
    write_whole(path, [head.ljust(PAGE, b"\0"), *filled])
    return places


def read_memory(path, tape: Tape, build: BuildConfig) -> list[bytes]:
    """The parts of a file that belongs to this boot image and build; ModelError says what else it is, or misses."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    if not data.startswith(MAGIC):
        raise ModelError(f"{path}: no memory image: must start with {MAGIC!r}, starts with {data[:8]!r}")
    if len(data) < PAGE:
        raise ModelError(f"{path}: the front page of a memory image has {PAGE} bytes, the file has {len(data)}")
    _, version, *built, checksum, count = _HEADER.unpack_from(data)
    if version != VERSION:
        raise ModelError(f"{path}: version of the memory image: must be {VERSION}, is {version}")
    end = _HEADER.size + count * _PLACE.size
    if end + _CRC.size > PAGE or _CRC.unpack_from(data, end)[0] != zlib.crc32(data[:end]):
        raise ModelError(f"{path}: corrupt memory image: the front page does not match its CRC-32")
    for name, wanted, found in zip(_BUILT, _built(build), built):
        if wanted != found:
            raise ModelError(f"{path}: memory image of another build: {name} must be {wanted}, is {found}")
    if checksum != _checksum(tape):
        raise ModelError(
            f"{path}: memory image of another model: the checksum of its boot image must be {_checksum(tape):#010x}, "
            f"is {checksum:#010x}"
        )
    table = list(_PLACE.iter_unpack(data[_HEADER.size : end]))
    size = max(place + length for place, length, _ in table)
    if len(data) != size:
        raise ModelError(f"{path}: a memory image of {count} parts has {size} bytes, the file has {len(data)}")
    parts = [data[place : place + length] for place, length, _ in table]
    for number, (found, (*_, crc)) in enumerate(zip(parts, table)):
        if zlib.crc32(found) != crc:
            raise ModelError(f"{path}: corrupt memory image: part {number} does not match its CRC-32")
    return parts


def write_packed(path, weights: QuantisedCheckpoint, build: BuildConfig) -> list[int]:
    """The tape file of a build, behind what lies in memory beside it if there is anything; the places of its
    parts there. ConfigError when the model does not fit."""
    tape = boot_image(weights, build)
    places = write_memory(memory_file(path), tape, memory_image(weights, build), build) if build.buses else []
    write_tape(path, tape)
    return places


def read_packed(path, build: BuildConfig) -> tuple[Tape, list[bytes]]:
    """What `write_packed` wrote for a build, as `Session.boot` takes it: the boot image, and the parts in memory if
    it has any there. ModelError."""
    tape = read_tape(path)
    return tape, read_memory(memory_file(path), tape, build) if build.buses else []
