"""The weight tape: what an engine reads from front to back for every token, and the boot image that brings it in.

`boot_image` lays a quantised model out as beats (see `spec/registers.py` for the order of the boot stream and
`spec/program.py` for the order on the tape). A file (`write_tape`, `read_tape`) is a header and these beats:

    offset  type        content
    0       8 bytes     "L2MTAPE" and a zero byte
    8       uint32      format version
    12      2 x uint32  lanes (weights a beat), bits of a weight
    20      7 x uint32  dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len
    48      2 x float64 rope_theta, norm_eps
    64      3 x uint32  beats of each section: registers and frequencies, embedding, tapes with the closing checksum
    76      3 x uint32  CRC-32 of each section
    88      uint32      d, the number of divisors of the rotary frequencies: 0, or one a pair
    92      d x float64 rope_divisors
    92+8d   uint32      CRC-32 of the header up to here
    96+8d               the beats

The beats fit builds of the same lanes, bits of a weight, hidden block and number of engines; registers at their front
say which.

All numbers are little-endian.
"""

import struct
import zlib
from dataclasses import astuple, dataclass
from math import ceil
from pathlib import Path

import numpy as np

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.field import fitted
from llama2_myhdl.base.files import write_whole
from llama2_myhdl.readers.file_kind import LOOK, file_kind
from llama2_myhdl.spec import kinds
from llama2_myhdl.spec.config import BuildConfig, ConfigError, ModelShape
from llama2_myhdl.spec.constants import Gain
from llama2_myhdl.spec.limits import TAPE_EXPONENT_MAX, embedding_limits
from llama2_myhdl.spec.program import Command, gain_beats, tapes
from llama2_myhdl.spec.quantised import LAYER_MATRICES, QuantisedCheckpoint, QuantisedMatrix
from llama2_myhdl.spec.registers import REGISTERS, WORD, register_limits, register_values

FILE_MAGIC = b"L2MTAPE\0"
FILE_VERSION = 5  # of the header; the boot image inside has a version of its own
_HEADER = struct.Struct("<8sI2I7Idd3I3II")
_DIVISOR = struct.Struct("<d")
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class Tape:
    """A boot image: beats in boot order, uint8 [n, bytes of `lanes` weights], and how many of them each section has."""

    shape: ModelShape
    lanes: int
    weight_bits: int
    sections: tuple[int, int, int]
    beats: np.ndarray


def _word_beats(values, beat_bytes: int, what: str) -> np.ndarray:
    """One beat for each 32-bit value, in its low bytes."""
    beats = np.zeros((len(values), beat_bytes), np.uint8)
    beats[:, :4] = fitted(values, "<u4", what).view(np.uint8).reshape(-1, 4)
    return beats


def _lane_type(build: BuildConfig) -> str:
    """numpy's name for what a lane holds."""
    return f"<i{build.weight_bits // 8}"


def _in_bytes(lanes: np.ndarray) -> np.ndarray:
    """Lanes [.., lanes] as bytes [.., bytes of a beat]."""
    return np.ascontiguousarray(lanes).view(np.uint8)


def _row_lanes(matrix: QuantisedMatrix, build: BuildConfig) -> np.ndarray:
    """Rows [rows, cols] as lanes of beats [rows, ceil(cols/lanes), lanes], zero padded."""
    rows, cols = matrix.mantissa.shape
    kind = _lane_type(build)
    beats = np.zeros((rows, ceil(cols / build.lanes), build.lanes), kind)
    beats.reshape(rows, -1)[:, :cols] = fitted(matrix.mantissa, kind, "mantissa of row, column")
    return beats


def matrix_beats(matrix: QuantisedMatrix, build: BuildConfig) -> np.ndarray:
    """A matrix on the tape: for every `lanes` rows one beat of exponents, then the rows."""
    row_exponents = fitted(matrix.exponent, "i1", "exponent of row", high=TAPE_EXPONENT_MAX)
    rows, lanes = _row_lanes(matrix, build), build.lanes
    parts = []
    for start in range(0, len(rows), lanes):
        group = slice(start, start + lanes)
        exponents = np.zeros(lanes, rows.dtype)
        exponents[: len(rows[group])] = row_exponents[group]
        parts += [exponents[None], rows[group].reshape(-1, lanes)]
    return _in_bytes(np.concatenate(parts))


def vector_beats(gain: Gain, build: BuildConfig) -> np.ndarray:
    """Norm gains on the tape: one beat with the exponent in lane 0, then int16 mantissas, low byte first."""
    beats = np.zeros((1 + gain_beats(len(gain.mantissa), build), build.beat_bytes), np.uint8)
    beats.view(_lane_type(build))[0, 0] = fitted(gain.exponent, "i1", "exponent of norm gains")
    data = fitted(gain.mantissa, "<i2", "mantissa of norm gain").view(np.uint8)
    beats[1:].reshape(-1)[: data.size] = data
    return beats


def _interleave(w1: QuantisedMatrix, w3: QuantisedMatrix) -> QuantisedMatrix:
    """Rows w1[0], w3[0], w1[1], w3[1], ..."""
    mantissa = np.stack([w1.mantissa, w3.mantissa], axis=1).reshape(-1, w1.mantissa.shape[1])
    return QuantisedMatrix(mantissa, np.stack([w1.exponent, w3.exponent], axis=1).reshape(-1))


def _matrix(weights: QuantisedCheckpoint, command: Command, build: BuildConfig) -> QuantisedMatrix:
    kind, layer = command.kind, command.layer
    if kind == kinds.LOGITS:
        return weights.classifier
    if kind == kinds.GATE_UP:
        return _interleave(weights.w1[layer], weights.w3[layer])
    if kind in (kinds.PARTIAL, kinds.DOWN):
        return weights.w2[layer].columns(slice(command.block, command.block + build.hidden_block))
    names = {kinds.KEY: "wk", kinds.VALUE: "wv", kinds.QUERY: "wq", kinds.OUT: "wo"}
    return getattr(weights, names[kind])[layer]


def _gains(weights: QuantisedCheckpoint):
    """All norm gains in the order of use: attention and feed-forward of each layer, then the final one."""
    for attention, feed_forward in zip(weights.rms_att, weights.rms_ffn):
        yield attention
        yield feed_forward
    yield weights.rms_final


def tape_image(weights: QuantisedCheckpoint, build: BuildConfig) -> np.ndarray:
    """The tapes of all layers and of the head, uint8 [beats, bytes], in the order of `spec.program.tapes`."""
    parts, gains = [], _gains(weights)
    for command in tapes(weights.shape, build):
        if command.kind == kinds.GAIN:
            beats = vector_beats(next(gains), build)
        else:
            beats = matrix_beats(_matrix(weights, command, build), build)
        if len(beats) != (wanted := command.tape_beats(build.lanes)):
            raise ModelError(f"tape of {command}: must have {wanted} beats, has {len(beats)}")
        parts.append(beats)
    return np.concatenate(parts)


def embedding_rows(embedding: QuantisedMatrix, build: BuildConfig) -> np.ndarray:
    """The beats of each row, uint8 [rows, beats, bytes]: one with the exponent in lane 0, then the mantissas."""
    limits = embedding_limits(build.weight_bits)
    rows = _row_lanes(embedding, build)
    exponents = np.zeros((len(rows), 1, build.lanes), rows.dtype)
    exponents[:, 0, 0] = fitted(embedding.exponent, "i1", "exponent of embedding row", **limits)
    return _in_bytes(np.concatenate([exponents, rows], axis=1))


def _register_image(shape: ModelShape, build: BuildConfig, stops: tuple[int, ...]) -> np.ndarray:
    """Registers, each within what the loader of this build accepts, and RoPE frequencies."""
    values, limits = register_values(shape, build, stops), register_limits(build)
    for name in REGISTERS:
        fitted(values[name], "<u4", f"register {name}", *limits[name])
    words = [_word_beats([values[name] for name in REGISTERS], build.beat_bytes, "register")]
    words.append(_word_beats(shape.frequencies, build.beat_bytes, "RoPE frequency"))
    return np.concatenate(words)


def _none(build: BuildConfig) -> np.ndarray:
    """No beats."""
    return np.zeros((0, build.beat_bytes), np.uint8)


def _fingerprint(weights: QuantisedCheckpoint) -> int:
    """CRC-32 of all mantissas and exponents."""
    total = 0
    for name in ("embedding", "rms_att", "rms_ffn", "rms_final", "classifier", *LAYER_MATRICES):
        value = getattr(weights, name)
        for part in [value] if hasattr(value, "mantissa") else value:  # of each layer
            for numbers in (part.mantissa, part.exponent):
                total = zlib.crc32(np.asarray(numbers, "<i2").tobytes(), total)
    return total


def checksum(beats: bytes, beat_bytes: int) -> int:
    """Rotate left by one, then XOR the beat's 32-bit words, for every beat; starts at 0. beat_bytes: of one."""
    words = np.frombuffer(beats, dtype="<u4").reshape(-1, beat_bytes * 8 // WORD)
    total = 0
    for fold in np.bitwise_xor.reduce(words, axis=1).tolist():
        total = ((total << 1 | total >> 31) & 0xFFFFFFFF) ^ fold
    return total


def boot_image(weights: QuantisedCheckpoint, build: BuildConfig) -> Tape:
    """All beats of the boot stream for a build; ConfigError when the model does not fit it."""
    shape, size = weights.shape, build.beat_bytes
    weights.check(build)
    registers = _register_image(shape, build, weights.stops)
    rows = _none(build) if build.embedding else embedding_rows(weights.embedding, build).reshape(-1, size)
    tape = _none(build) if build.weights else tape_image(weights, build)
    if not len(rows) + len(tape):
        tape = np.zeros((register_values(shape, build)["payload_beats"], size), np.uint8)
        tape[:1] = _word_beats([_fingerprint(weights)], size, "CRC-32 of the weights")
    body = np.concatenate([registers, rows, tape])
    beats = np.concatenate([body, _word_beats([checksum(body.tobytes(), size)], size, "checksum")])
    sections = len(registers), len(rows), len(beats) - len(registers) - len(rows)
    return Tape(shape, build.lanes, build.weight_bits, sections, beats)


def _split(tape: Tape) -> list[bytes]:
    edges = np.cumsum((0,) + tape.sections)
    return [tape.beats[a:b].tobytes() for a, b in zip(edges, edges[1:])]


def write_tape(path, tape: Tape) -> None:
    """Write a tape file; whole or not at all."""
    sections = _split(tape)
    *numbers, divisors = astuple(tape.shape)
    crcs = map(zlib.crc32, sections)
    kind = FILE_VERSION, tape.lanes, tape.weight_bits
    head = _HEADER.pack(FILE_MAGIC, *kind, *numbers, *tape.sections, *crcs, len(divisors))
    head += b"".join(map(_DIVISOR.pack, divisors))
    write_whole(path, [head, _CRC.pack(zlib.crc32(head)), *sections])


def read_tape(path) -> Tape:
    """Read a tape file; ModelError names what is wrong with a truncated, corrupt or foreign file."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    size = _HEADER.size + _CRC.size
    if not data.startswith(FILE_MAGIC):
        found = f"is {kind}" if (kind := file_kind(data[:LOOK], len(data))) else f"starts with {data[:8]!r}"
        raise ModelError(f"{path}: not a weight tape: must start with {FILE_MAGIC!r}, {found}")
    if len(data) < size:
        raise ModelError(f"{path}: a tape header has {size} bytes, the file has {len(data)}")
    _, version, lanes, bits, *rest, count = _HEADER.unpack_from(data)
    if version != FILE_VERSION:
        raise ModelError(f"{path}: tape version: must be {FILE_VERSION}, is {version}")
    end = _HEADER.size + count * _DIVISOR.size
    size = end + _CRC.size
    if len(data) < size:
        raise ModelError(f"{path}: a tape header with {count} divisors has {size} bytes, the file has {len(data)}")
    head = data[:end]
    if _CRC.unpack_from(data, end)[0] != zlib.crc32(head):
        raise ModelError(f"{path}: corrupt tape: the header does not match its CRC-32")
    sections = tuple(rest[9:12])
    beat = lanes * bits // 8
    expected = size + sum(sections) * beat
    if len(data) != expected:
        raise ModelError(
            f"{path}: a tape of {sum(sections)} beats of {beat} bytes has {expected} bytes, the file has {len(data)}"
        )
    try:
        divisors = tuple(divisor for (divisor,) in _DIVISOR.iter_unpack(head[_HEADER.size :]))
        shape = ModelShape(*rest[:9], divisors)
    except ConfigError as error:
        raise ModelError(f"{path}: {error}") from error
    tape = Tape(shape, lanes, bits, sections, np.frombuffer(data[size:], np.uint8).reshape(-1, beat))
    for name, part, crc in zip(("registers", "embedding", "tape"), _split(tape), rest[12:15]):
        if zlib.crc32(part) != crc:
            raise ModelError(f"{path}: corrupt tape: the {name} section does not match its CRC-32")
    return tape
