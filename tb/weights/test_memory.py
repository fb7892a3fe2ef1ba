"""What lies in memory for a build with its weights there: every tape at its place, and what is refused."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.spec.axi import PAGE, ReadMaster
from llama2_myhdl.spec.embedding import row_bytes
from llama2_myhdl.spec.presets import in_memory, preset
from llama2_myhdl.weights.memory import (
    memory_file,
    memory_image,
    parts_in_memory,
    read_memory,
    read_packed,
    write_packed,
)
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image, read_tape
from tb.readers.refusals import says

SHAPE, BUILD = preset("nano-bus").shape, preset("nano-bus").build
FRONT = 40 + 3 * 20 + 4  # bytes of the header of two tapes and the embedding


def weights(seed=1):
    return quantise_checkpoint(random_checkpoint(SHAPE, seed), gptq=False)


@pytest.fixture
def packed(tmp_path) -> Path:
    """The tape file of a random model, and what lies in memory beside it."""
    path = tmp_path / "x.tape"
    write_packed(path, weights(), BUILD)
    return path


def refused(packed, *words, build=BUILD, tape=None):
    beside = memory_file(packed)
    says(partial(read_memory, beside, tape or read_tape(packed), build), beside.name, *words)


@pytest.mark.parametrize("engines", [1, 2])
@pytest.mark.parametrize("data_bits", [64, 512])
def test_what_was_written_is_read(tmp_path, engines, data_bits):
    """Each tape begins at a beat of the bus, and the first one at the second page."""
    build = replace(BUILD, engines=engines, **in_memory(data_bits, burst=16, depth=64))
    places = write_packed(tmp_path / "x.tape", weights(), build)
    tape, tapes = read_packed(tmp_path / "x.tape", build)
    assert tapes == memory_image(weights(), build) and len(tapes) == parts_in_memory(build) == engines + 2
    assert (tape.beats == boot_image(weights(), build).beats).all()
    data = memory_file(tmp_path / "x.tape").read_bytes()
    assert [data[place : place + len(part)] for place, part in zip(places, tapes, strict=True)] == tapes
    assert places[0] == PAGE and not any(place % build.weights.word_bytes for place in places)


@pytest.mark.parametrize("data_bits", [64, 512])
def test_rows_of_the_embedding(data_bits):
    """Each at a beat of the bus: its exponent, its mantissas, zeros."""
    build = replace(BUILD, weights=None, embedding=ReadMaster(data_bits=data_bits, burst=16, depth=64))
    (table,), size, found = memory_image(weights(), build), row_bytes(SHAPE, build), weights().embedding
    assert size % (data_bits // 8) == 0 and len(table) == SHAPE.vocab_size * size
    for token, (mantissa, exponent) in enumerate(zip(found.mantissa, found.exponent)):
        beats = [[exponent, *[0] * (build.lanes - 1)], mantissa]
        row = b"".join(bytes(int(x) & 255 for x in beat) for beat in beats)
        assert table[token * size : (token + 1) * size] == row.ljust(size, b"\0")


def test_a_build_on_the_chip_has_no_memory(tmp_path):
    chip = preset("nano").build
    assert write_packed(tmp_path / "x.tape", weights(), chip) == []
    assert read_packed(tmp_path / "x.tape", chip)[1] == [] and not memory_file(tmp_path / "x.tape").exists()


def test_one_that_is_missing(packed):
    memory_file(packed).unlink()
    refused(packed, "cannot be read: No such file")


@pytest.mark.parametrize("left", [8, FRONT - 1, PAGE - 1])
def test_one_that_ends_in_its_front_page(packed, left):
    beside = memory_file(packed)
    beside.write_bytes(beside.read_bytes()[:left])
    refused(packed, f"the front page of a memory image has {PAGE} bytes, the file has {left}")


@pytest.mark.parametrize("change", [-1, -1000, 1])
def test_one_that_is_too_short_or_too_long(packed, change):
    beside = memory_file(packed)
    data = beside.read_bytes()
    beside.write_bytes(data[:change] if change < 0 else data + bytes(change))
    refused(packed, f"a memory image of 3 parts has {len(data)} bytes, the file has {len(data) + change}")


def test_a_file_of_another_kind(packed):
    memory_file(packed).write_bytes(packed.read_bytes())
    refused(packed, "no memory image: must start with", "starts with b'L2MTAPE")
    memory_file(packed).write_bytes(b"")
    refused(packed, "no memory image", "starts with b''")


@pytest.mark.parametrize("place", [12, 28, 32, 36, 39, 40, FRONT - 1])
def test_a_damaged_front_page(packed, place):
    """Whatever is damaged: parameters, checksum, the number of tapes, their places, the CRC itself."""
    beside = memory_file(packed)
    data = bytearray(beside.read_bytes())
    data[place] ^= 0x40
    beside.write_bytes(data)
    refused(packed, "corrupt memory image: the front page does not match its CRC-32")


def test_another_version(packed):
    beside = memory_file(packed)
    data = bytearray(beside.read_bytes())
    data[8] = 1
    beside.write_bytes(data)
    refused(packed, "version of the memory image: must be 3, is 1")


@pytest.mark.parametrize("number", [0, 2])
def test_a_damaged_part(packed, number):
    beside = memory_file(packed)
    data = bytearray(beside.read_bytes())
    data[PAGE if number == 0 else -1] ^= 1
    beside.write_bytes(data)
    refused(packed, f"corrupt memory image: part {number} does not match its CRC-32")


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(lanes=8), "lanes must be 8, is 4"),
        (dict(weight_bits=16), "bits of a weight must be 16, is 8"),
        (dict(min_hidden_block=16), "hidden block must be 16, is 8"),
        (dict(engines=2), "engines must be 2, is 1"),
        (dict(weights=ReadMaster(data_bits=128)), "bytes of a beat for the weights must be 16, is 8"),
        (dict(embedding=ReadMaster(data_bits=128)), "bytes of a beat for the embedding must be 16, is 8"),
        (dict(embedding=None), "bytes of a beat for the embedding must be 0, is 8"),
    ],
)
def test_one_of_another_build(packed, changes, words):
    refused(packed, f"memory image of another build: {words}", build=replace(BUILD, **changes))


def test_one_of_another_model(packed):
    """Of the same shape: the boot image that it was made with says so."""
    refused(packed, "memory image of another model: the checksum of its boot image", tape=boot_image(weights(2), BUILD))
