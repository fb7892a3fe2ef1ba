"""Tape and boot image: sizes from the program, round trip through a file, every kind of damage refused."""

from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.spec import kinds
from llama2_myhdl.spec.config import ConfigError, ModelShape
from llama2_myhdl.spec.presets import build_of, preset
from llama2_myhdl.spec.program import head_beats, layer_beats, max_head_beats, tape_beats, tape_depth, tapes
from llama2_myhdl.spec.quantised import QuantisedMatrix
from llama2_myhdl.spec.registers import REGISTERS
from llama2_myhdl.weights.folding import quantise_gain
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image, checksum, matrix_beats, read_tape, vector_beats, write_tape

SHAPE = ModelShape(16, 22, 2, 4, 2, 32, 16)
BUILD = preset("nano").build
WIDE = replace(BUILD, weight_bits=16)
LANES = BUILD.lanes


def weights_of(build):
    return quantise_checkpoint(random_checkpoint(SHAPE, seed=1), None, gptq=False, bits=build.weight_bits)


def image_of(build):
    return boot_image(weights_of(build), build)


@pytest.fixture(scope="module")
def image():
    return image_of(BUILD)


@pytest.mark.parametrize("name", ["stories260K", "stories15M", "nano"])
def test_floor(name):
    """The program's weight beats are the shape's cycle floor; exponents and gains come on top."""
    shape = preset(name).shape
    for lanes in (8, 16, 64):
        build = build_of(name, lanes=lanes)
        assert sum(c.rows * c.beats for c in tapes(shape, build)) == shape.beats(lanes)
        assert shape.beats(lanes) < tape_beats(shape, build) < 1.2 * shape.beats(lanes)
    build = preset(name).build
    assert shape.n_layers * layer_beats(shape, build) <= tape_depth(build)
    assert head_beats(shape, build) <= max_head_beats(build)


def test_blocks():
    """W2 comes in blocks of columns that put together are the whole matrix; all but the last are PARTIAL."""
    commands = [c for c in tapes(SHAPE, BUILD) if c.layer == 1 and c.kind in (kinds.PARTIAL, kinds.DOWN)]
    assert [c.kind for c in commands] == [kinds.PARTIAL, kinds.PARTIAL, kinds.DOWN]
    assert [c.block for c in commands] == [0, 8, 16] and [c.beats for c in commands] == [2, 2, 2]


def test_sections(image):
    assert image.sections[0] == len(REGISTERS) + SHAPE.head_dim // 2
    assert image.sections[1] == SHAPE.vocab_size * (1 + SHAPE.dim // LANES)
    assert image.sections[2] == tape_beats(SHAPE, BUILD) + 1
    assert image.beats.shape == (sum(image.sections), LANES)


def test_matrix_layout():
    """Exponents of a group ahead of its rows, rows zero padded; an odd number of rows and columns."""
    mantissa = np.arange(-15, 15, dtype=np.int8).reshape(6, 5)
    beats = matrix_beats(QuantisedMatrix(mantissa, np.array([-1, -2, -3, -4, -5, -6], np.int8)), BUILD).view(np.int8)
    assert beats.shape == (2 + 6 * 2, LANES)
    assert beats[0].tolist() == [-1, -2, -3, -4] and beats[9].tolist() == [-5, -6, 0, 0]
    assert beats[1].tolist() == [-15, -14, -13, -12] and beats[2].tolist() == [-11, 0, 0, 0]
    assert beats[12].tolist() == [10, 11, 12, 13]


def test_matrix_layout_of_16_bits():
    """As above, each lane twice as wide, exponents too."""
    mantissa = np.arange(-15, 15, dtype=np.int16).reshape(6, 5) * 1000
    beats = matrix_beats(QuantisedMatrix(mantissa, np.array([-1, -2, -3, -4, -5, -6], np.int8)), WIDE)
    assert beats.dtype == np.uint8 and beats.shape == (2 + 6 * 2, 2 * LANES)
    lanes = beats.view("<i2")
    assert lanes[0].tolist() == [-1, -2, -3, -4] and lanes[9].tolist() == [-5, -6, 0, 0]
    assert lanes[1].tolist() == [-15000, -14000, -13000, -12000] and lanes[2].tolist() == [-11000, 0, 0, 0]


@pytest.mark.parametrize("build", [BUILD, WIDE], ids=["8 bits", "16 bits"])
def test_gain_layout(build):
    beats = vector_beats(quantise_gain(np.full(8, 0.5), 8), build)
    assert beats.shape == (1 + 2 * 8 // build.beat_bytes, build.beat_bytes)
    mantissas = beats[1:].reshape(-1).view("<i2")
    exponent = beats[0].view(f"<i{build.weight_bits // 8}")[0]
    assert np.allclose(mantissas * 2.0 ** (int(exponent) - 15), 0.5 * 8**0.5, rtol=1e-4)


def test_checksum_sees_every_bit(image):
    """One flipped bit anywhere changes the checksum."""
    data = bytearray(image.beats[:-1].tobytes())
    good = checksum(bytes(data), LANES)
    assert good == int.from_bytes(image.beats[-1, :4].tobytes(), "little")
    rng = np.random.default_rng(2)
    for bit in rng.integers(0, 8 * len(data), 50).tolist():
        data[bit >> 3] ^= 1 << (bit & 7)
        assert checksum(bytes(data), LANES) != good
        data[bit >> 3] ^= 1 << (bit & 7)


@pytest.mark.parametrize("build", [BUILD, WIDE], ids=["8 bits", "16 bits"])
def test_round_trip(build, tmp_path):
    path, image = tmp_path / "nano.tape", image_of(build)
    write_tape(path, image)
    again = read_tape(path)
    assert again.shape == SHAPE and again.lanes == LANES and again.sections == image.sections
    assert again.weight_bits == build.weight_bits and np.array_equal(again.beats, image.beats)


def test_weights_of_another_width():
    for build, other in ((BUILD, WIDE), (WIDE, BUILD)):
        message = f"model weight_bits: must be {build.weight_bits} in this build, is {other.weight_bits}"
        for refuses in (FixedModel, boot_image):
            with pytest.raises(ConfigError, match=message):
                refuses(weights_of(other), build)


def test_divided_frequencies_and_stop_tokens(tmp_path):
    """What a model for long contexts and other tokenizers brings along: in the beats, and in the shape that is read."""
    shape = replace(SHAPE, rope_divisors=(1.0, 8.0))
    for stops, registers in (((7, 9), [7, 9]), ((7,), [7, 32]), ((), [32, 32]), ((3, 4, 5), [3, 4])):
        checkpoint = replace(random_checkpoint(shape, seed=1), stops=stops)
        weights = quantise_checkpoint(checkpoint, None, gptq=False)
        write_tape(tmp_path / "x.tape", boot_image(weights, BUILD))
        again = read_tape(tmp_path / "x.tape")
        assert again.shape == shape
        words = again.beats[: again.sections[0], :4].copy().view("<u4")[:, 0].tolist()
        assert words[REGISTERS.index("stop_a") : len(REGISTERS)] == registers
        first, second = SHAPE.frequencies
        assert words[len(REGISTERS) :] == [first, round(1e4**-0.5 / (2 * np.pi) / 8 * 2**32)]
        assert abs(words[-1] - second / 8) <= 1


@pytest.mark.parametrize("count", [1, 1 << 31])
def test_too_many_divisors(image, tmp_path, count):
    path = tmp_path / "nano.tape"
    write_tape(path, image)
    data = path.read_bytes()
    path.write_bytes(data[:84] + count.to_bytes(4, "little") + data[88:])
    with pytest.raises(ModelError, match="header does not match|header with 2147483648 divisors has"):
        read_tape(path)


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda d: d[:50], "header has"),
        (lambda d: d[:-3], "bytes, the file has"),
        (lambda d: d + b"x", "bytes, the file has"),
        (lambda d: b"NOTATAPE" + d[8:], "not a weight tape"),
        (lambda d: d[:8] + b"\x07" + d[9:], "version"),
        (lambda d: d[:16] + b"\xff" + d[17:], "header does not match"),
        (lambda d: d[:100] + bytes([d[100] ^ 1]) + d[101:], "registers section"),
        (lambda d: d[:-40] + bytes([d[-40] ^ 8]) + d[-39:], "tape section"),
    ],
)
def test_damaged_file(image, tmp_path, damage, message):
    path = tmp_path / "nano.tape"
    write_tape(path, image)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=message):
        read_tape(path)
