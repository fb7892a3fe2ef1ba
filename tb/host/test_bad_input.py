"""Bad input to the commands: one clear line, exit status 2, nothing left half-written."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.host import generate
from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.weights.models import DEFAULT

SHAPE = preset("nano").shape


def command(*arguments, module="llama2_myhdl.host.generate"):
    """Run a command of the project; arguments may be bytes."""
    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=PROJECT, capture_output=True, timeout=120)


def refused(result, *words):
    """Exit status 2, nothing on standard output, one line that holds all the words, no traceback."""
    lines = result.stderr.decode().strip().splitlines()
    assert result.returncode == 2, lines
    assert len(lines) == 1, lines
    for word in words:
        assert word in lines[0], lines[0]


@pytest.fixture
def checkpoint(tmp_path):
    """A small random checkpoint file."""
    path = tmp_path / "model.bin"
    write_checkpoint(random_checkpoint(SHAPE, seed=1), path)
    return path


def tokenizer():
    return ["--tokenizer", str(DEFAULT / "tokenizer.bin")]


def test_truncated_checkpoint(checkpoint, tmp_path):
    size = checkpoint.stat().st_size
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    out = tmp_path / "out.json"
    refused(command("--model", checkpoint, *tokenizer(), "--json", out), str(size), str(size - 100))
    assert os.listdir(tmp_path) == ["model.bin"]


def test_impossible_header(checkpoint):
    data = bytearray(checkpoint.read_bytes())
    data[0:4] = np.array([-5], "<i4").tobytes()
    checkpoint.write_bytes(data)
    refused(command("--model", checkpoint, *tokenizer()), "dim", "-5")


def test_shape_over_the_maxima(tmp_path):
    path = tmp_path / "big.bin"
    shape = ModelShape(128, 64, 1, 8, 8, 512, 64)
    write_checkpoint(random_checkpoint(shape, seed=1), path)
    refused(command("--model", path, *tokenizer(), "--config", "default"), "dim", "at most 64", "128", "auto")


@pytest.mark.parametrize("context", ("0", "-1", str(SHAPE.seq_len + 1)))
def test_context_beyond_the_models(checkpoint, context):
    options = ["--model", checkpoint, *tokenizer(), f"--context={context}"]
    refused(command(*options), "context", f"1 to the model's {SHAPE.seq_len}", context)


def test_tokenizer_of_another_vocabulary(checkpoint):
    refused(command("--model", checkpoint, *tokenizer()), "vocabulary")


def test_model_without_tokenizer(checkpoint):
    refused(command("--model", checkpoint), "--tokenizer")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--prompt", "and so on " * 400], ["prompt", "at most"]),
        (["--prompt", b"caf\xe9"], ["UTF-8", "0xE9"]),
        (["--steps", "-1"], ["steps", "at least 0", "-1"]),
        (["--lanes", "48"], ["lanes", "power of two", "48"]),
        (["--lanes", "0"], ["lanes", "0"]),
        (["--config", "huge"], ["configuration", "huge", "default"]),
        (["--model", "/nowhere/model.bin", "--tokenizer", "x"], ["/nowhere/model.bin"]),
    ],
)
def test_options(arguments, words, tmp_path):
    out = tmp_path / "out.json"
    refused(command(*arguments, "--json", out), *words)
    assert not out.exists()


@pytest.mark.parametrize("option, value", [("--layer", -1), ("--layer", 4), ("--pos", -1), ("--lanes", 3)])
def test_timing_of_what_is_not_there(option, value, tmp_path):
    arguments = ["--model", DEFAULT / "model.bin", "--output", tmp_path / "x.svg", f"{option}={value}"]
    refused(command(*arguments, module="llama2_myhdl.host.timing"), option.strip("-"), str(value))


def test_timing_into_a_folder_that_is_not_there(tmp_path):
    refused(command("--output", tmp_path / "none" / "x.svg", module="llama2_myhdl.host.timing"), "none", "no folder")


@pytest.mark.parametrize("module", ["generate", "bench", "timing", "figures"])
def test_any_simulator_in_the_environment(module, monkeypatch):
    monkeypatch.setenv("SIM", "questa")
    result = command("--help", module=f"llama2_myhdl.host.{module}")
    assert result.returncode == 0 and not result.stderr


def test_an_unknown_simulator(monkeypatch):
    monkeypatch.setenv("SIM", "questa")
    result = command("--sim", "questa")
    assert result.returncode == 2 and b"Traceback" not in result.stderr
    assert b"invalid choice: 'questa'" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("option", ["--json", "--taps"])
def test_results_into_a_folder_that_is_not_there(option, tmp_path):
    refused(command(option, tmp_path / "none" / "file"), "none", "no folder")


@pytest.mark.parametrize("option", ["--tap-positions", "--tap-layers"])
def test_a_choice_of_taps_without_taps(option):
    refused(command(option, "1"), option.strip("-"), "needs taps")


def test_taps_beyond_the_end_of_the_story(monkeypatch, capsys):
    saved = []
    monkeypatch.setattr(generate, "split", lambda records, shape: records)
    monkeypatch.setattr(generate, "save", lambda path, checkpoint, tokens, seen, layers: saved.append(seen))
    request = SimpleNamespace(shape=SHAPE, checkpoint=None, tap_layers=[0], tap_positions=[0, 7, 9])
    generate._save_taps("x.npz", request, [1], {0: [1]})
    assert saved == [{0: [1]}]
    assert capsys.readouterr().err == "generate: taps: the story ended before position 7, 9\n"
    request.tap_positions = [7]
    with pytest.raises(ModelError, match="before position 7"):
        generate._save_taps("x.npz", request, [1], {})


def test_convert_names_the_presets():
    refused(command("huge", module="llama2_myhdl.rtl.convert"), "huge", "stories260K")


@pytest.mark.parametrize("option", ["lanes", "engines"])
def test_convert_refuses_a_build_that_cannot_be(option):
    refused(command("nano", f"--{option}=0", module="llama2_myhdl.rtl.convert"), option, "0")


def test_pack_refuses_a_bad_model(checkpoint, tmp_path):
    checkpoint.write_bytes(checkpoint.read_bytes()[:40])
    refused(command(checkpoint, tmp_path / "x.tape", module="llama2_myhdl.weights.pack"), "model.bin")
    assert not (tmp_path / "x.tape").exists()


def test_pack_refuses_a_folder_that_is_not_there(checkpoint, tmp_path):
    refused(command(checkpoint, tmp_path / "none" / "x.tape", module="llama2_myhdl.weights.pack"), "none", "no folder")
