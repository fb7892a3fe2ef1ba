"""The caches of integer weights and tapes, and the command that packs: another model never gets what is stored."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.readers.checkpoint import random_checkpoint, read_checkpoint, write_checkpoint
from llama2_myhdl.spec.axi import PAGE
from llama2_myhdl.spec.constants import epsilon_term, frequencies
from llama2_myhdl.spec.presets import build_of, preset
from llama2_myhdl.spec.registers import REGISTERS
from llama2_myhdl.weights import cache
from llama2_myhdl.weights.cache import quantised, tape_file
from llama2_myhdl.weights.memory import memory_file, memory_image, part_places
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image, read_tape, tape_image

SHAPE, BUILD = preset("nano").shape, preset("nano").build
GIVEN = [{}, {"rope_theta": 500000.0}, {"norm_eps": 1e-3}, {"rope_theta": 500000.0, "norm_eps": 1e-3}]


@pytest.fixture
def model(tmp_path):
    """A random nano checkpoint file."""
    path = tmp_path / "model.bin"
    write_checkpoint(random_checkpoint(SHAPE, 2), path)
    return path


def words(tape):
    """Registers and frequencies of a tape."""
    return tape.beats[: tape.sections[0], :4].copy().view("<u4")[:, 0].tolist()


def test_theta_and_epsilon_have_tapes_of_their_own(model, tmp_path):
    """And what is stored is what would be made anew, whichever came first."""
    folder, paths = tmp_path / "cache", {}
    for given in GIVEN + GIVEN[::-1]:
        checkpoint = read_checkpoint(model, **given)
        weights = quantised(model, folder, checkpoint=checkpoint)
        assert weights.shape == checkpoint.shape
        path = tape_file(model, weights, BUILD, folder)
        tape, fresh = read_tape(path), boot_image(quantise_checkpoint(checkpoint), BUILD)
        assert tape.shape == checkpoint.shape
        np.testing.assert_array_equal(tape.beats, fresh.beats)
        paths.setdefault(path, tape)
    assert len(paths) == len(GIVEN) == len({tape.beats.tobytes() for tape in paths.values()})
    assert len(list(folder.glob("*.weights"))) == len(GIVEN)


def test_a_checkpoint_of_the_defaults_is_that_of_the_file(model, tmp_path, monkeypatch):
    first = quantised(model, tmp_path)
    monkeypatch.setattr(cache, "quantise_checkpoint", None)  # what is stored must do
    second = quantised(model, tmp_path, checkpoint=read_checkpoint(model, rope_theta=10000, norm_eps=1e-5))
    np.testing.assert_array_equal(first.w1[1].mantissa, second.w1[1].mantissa)


def test_an_image_without_tapes_has_a_file_of_its_own(model, tmp_path):
    """Builds of the same lanes, with the tapes on the chip and in memory, whichever comes first."""
    weights, bus = quantised(model, tmp_path), build_of("nano-bus")
    chip = build_of("nano")
    paths = [tape_file(model, weights, build, tmp_path) for build in (bus, chip, bus)]
    assert paths[0] == paths[2] != paths[1]
    for path, build in zip(paths, (bus, chip)):
        np.testing.assert_array_equal(read_tape(path).beats, boot_image(weights, build).beats)


def test_pack_writes_what_lies_in_memory(model, tmp_path):
    """Each part at its address, a multiple of the bus's bytes; the file beside it has no tape."""
    output, bus = tmp_path / "x.tape", build_of("nano-bus")
    result = pack(model, output, config="nano-bus")
    assert result.returncode == 0 and not result.stderr
    weights = quantised(model)
    parts = memory_image(weights, bus)
    places = part_places(parts, bus)
    said = f"tapes at {', '.join(map(hex, places[:-1]))}, embedding at {places[-1]:#x}"
    assert f"{output}.memory: {said}" in result.stdout.splitlines()
    assert places[0] == PAGE
    data = Path(f"{output}.memory").read_bytes()
    for place, part in zip(places, parts, strict=True):
        assert place % bus.weights.word_bytes == 0 and data[place : place + len(part)] == part
    assert b"".join(parts[:-1]) == tape_image(weights, bus).tobytes()
    np.testing.assert_array_equal(read_tape(output).beats, boot_image(weights, bus).beats)
    assert len(data) == places[-1] + len(parts[-1])


def test_a_memory_image_that_is_missing_or_damaged_is_made_anew(model, tmp_path, capsys):
    weights, bus = quantised(model, tmp_path), build_of("nano-bus")
    path = tape_file(model, weights, bus, tmp_path)
    beside, whole = memory_file(path), memory_file(path).read_bytes()
    for damage in (beside.unlink, lambda: beside.write_bytes(whole[:-1])):
        damage()
        assert tape_file(model, weights, bus, tmp_path) == path and beside.read_bytes() == whole
        assert capsys.readouterr().err == f"{path}: damaged, is made anew\n"


def pack(*arguments, config="nano"):
    command = [sys.executable, "-m", "llama2_myhdl.weights.pack", *arguments, "--config", config]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)


def test_pack_takes_theta_and_epsilon(model, tmp_path):
    output = tmp_path / "x.tape"
    for options, theta, eps in (((), 10000.0, 1e-5), (("--theta", "500000", "--norm-eps", "1e-3"), 500000.0, 1e-3)):
        result = pack(model, output, *options)
        assert result.returncode == 0 and not result.stderr
        assert result.stdout.splitlines()[-1] == f"theta {theta:g}, norm epsilon {eps:g}"
        tape = read_tape(output)
        assert (tape.shape.rope_theta, tape.shape.norm_eps) == (theta, eps)
        registers = words(tape)
        assert registers[REGISTERS.index("eps_term")] == epsilon_term(SHAPE.dim, eps)
        assert registers[len(REGISTERS) :] == frequencies(SHAPE.head_dim, theta)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--theta", "0.5"), "rope_theta: must be finite and above 1, is 0.5"),
        (("--theta", "inf"), "rope_theta: must be finite and above 1, is inf"),
        (("--norm-eps", "0"), "norm_eps: must be between 0 and 1, is 0.0"),
        (("--norm-eps", "0.1"), "dim * norm_eps: must be at least 1.16e-10 and below 1 in 32 fraction bits, is 1.6"),
        (
            ("--norm-eps", "1e-15"),
            "dim * norm_eps: must be at least 1.16e-10 and below 1 in 32 fraction bits, is 1.6e-14",
        ),
    ],
)
def test_pack_refuses_theta_and_epsilon(options, line, model, tmp_path):
    result = pack(model, tmp_path / "x.tape", *options)
    assert result.returncode == 2 and not result.stdout
    assert result.stderr == f"pack: {model}: {line}\n"
    assert not (tmp_path / "x.tape").exists()
