"""What a new user tries with `generate`: prompts of any kind, lengths, damaged caches, signals, places to write to."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from llama2_myhdl.base import files
from llama2_myhdl.base.files import check_writable, write_whole
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.base.plain_text import plain
from llama2_myhdl.host import generate
from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.readers.tokenizer import write_tokenizer
from llama2_myhdl.spec.config import ConfigError, ModelShape
from llama2_myhdl.spec.presets import PRESETS, build_for, build_of, build_that_holds, fitting, preset
from llama2_myhdl.weights.cache import quantised, tape_file
from llama2_myhdl.weights.tape import read_tape
from tb.host.nano import BELL, ESCAPE, PIECES, SHAPE, options_of, told


@pytest.fixture(scope="module")
def nano(tmp_path_factory):
    """Options for a random model on the nano build."""
    return [*options_of(tmp_path_factory.mktemp("nano")), "--prompt=hi"]


@pytest.mark.parametrize("prompt, ids", [("", [1]), (" ", [1, 3, 3]), ("  hi", [1, 3, 3, 6, 5]), ("hi", [1, 6, 5])])
def test_blanks_are_kept_and_an_empty_prompt_starts_from_bos(nano, prompt, ids):
    result = told(nano, "--prompt", prompt, "--steps", "5")
    assert result["prompt_ids"] == ids
    assert result["golden_match"] and result["text"].startswith(prompt)


def test_no_steps_are_the_whole_context(nano):
    whole = told(nano, "--prompt", "hi", "--steps", "0")
    assert (whole["positions"], whole["stop"]) == (SHAPE.seq_len, "context")
    assert whole["predicted_ids"] == told(nano, "--prompt", "hi", "--steps", "999")["predicted_ids"]
    assert len(whole["predicted_ids"]) == SHAPE.seq_len


def test_a_shorter_context_fits_a_smaller_build(nano):
    """What a build's context is too short for runs in part of its own; the two builds agree as far as that goes."""
    whole, part = told(nano, "--steps", "0"), told(nano, "--steps", "0", "--context", "9")
    assert (part["positions"], part["stop"], part["golden_match"]) == (9, "context", True)
    assert part["predicted_ids"] == whole["predicted_ids"][:9]


def test_weights_of_16_bits_are_a_build_of_their_own(nano):
    eight, sixteen = (told(nano, "--steps", "9", f"--weight-bits={bits}") for bits in (8, 16))
    assert (eight["weight_bits"], sixteen["weight_bits"]) == (8, 16)
    assert eight["golden_match"] and sixteen["golden_match"] and eight["cycles"] >= sixteen["cycles"]


def test_theta_and_epsilon_are_taken_and_said(nano, capfd):
    plain_result = told(nano, "--prompt", "hi", "--steps", "9")
    assert "theta 10000, norm epsilon 1e-05" in capfd.readouterr().err
    other = told(nano, "--prompt", "hi", "--steps", "9", "--theta", "30", "--norm-eps", "0.05")
    assert "theta 30, norm epsilon 0.05" in capfd.readouterr().err
    assert (other["rope_theta"], other["norm_eps"]) == (30, 0.05)
    assert plain_result["golden_match"] and other["golden_match"]
    assert plain_result["predicted_ids"] != other["predicted_ids"]


def test_what_would_steer_the_terminal_is_shown(tmp_path, capfd):
    """A model that only says BEL, or only ESC: signs on the terminal, the very bytes in the JSON file."""
    base = random_checkpoint(SHAPE, seed=5, shared=False)
    still = {name: np.zeros_like(getattr(base, name)) for name in ("wo", "w2")}  # x stays the embedding
    write_tokenizer(PIECES, [0.0] * len(PIECES), tmp_path / "tokenizer.bin")
    for token, sign in ((BELL, "\u2407"), (ESCAPE, "\u241b[2J")):
        classifier = np.zeros_like(base.classifier)
        classifier[token] = 1
        embedding = np.ones_like(base.token_embedding)
        model = tmp_path / f"{token}.bin"
        changed = dict(still, classifier=classifier, token_embedding=embedding, rms_final=np.ones_like(base.rms_final))
        write_checkpoint(type(base)(**(vars(base) | changed)), model)
        options = ["--model", str(model), "--tokenizer", str(tmp_path / "tokenizer.bin"), "--config", "nano"]
        result = told(options, "--prompt", "hi", "--steps", "6")
        out = capfd.readouterr().out
        assert sign in out and not set(out) & set("\x07\x1b\0")
        assert result["text"].endswith(PIECES[token].decode()) and result["generated_ids"][0] == token


def test_signs_for_control_characters():
    assert plain("a\x00\x07\x1b\r\x7f b\n\tc\u00e9") == "a\u2400\u2407\u241b\u240d\u2421 b\n\tc\u00e9"
    assert plain("\x9b1m\u202e") == "\\u009b1m\\u202e"


SIGNALS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]


@pytest.mark.long_runs
@pytest.mark.parametrize("number, status, word", SIGNALS)
@pytest.mark.parametrize("sim", ["verilator", "icarus"])
def test_a_signal_is_one_line_and_leaves_nothing(nano, tmp_path, number, status, word, sim):
    """In the midst of the story; everything that was begun is gone, and no process is left."""
    told(nano, "--steps", "1", "--sim", sim)  # whatever is built or cached is there now
    options = nano if sim == "icarus" else []  # the nano model is done before a signal comes
    if not options:
        assert generate.main(["--steps", "1", "--config", "default"]) == 0
        options = ["--steps", "0", "--config", "default"]
    before = _files()
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "llama2_myhdl.host.generate", *options, "--sim", sim, "--taps", tmp_path / "t.npz"]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True, preexec_fn=_hear_interrupts)  # fmt: skip
    process.stdout.read(1)  # the story has begun
    time.sleep(0.3)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    error = process.communicate(timeout=60)[1].decode()
    assert process.returncode == status, error
    lines = [line for line in error.splitlines() if "generate:" in line or "Traceback" in line]
    assert lines == [f"generate: {word}"], error
    assert os.listdir(tmp_path) == [] and _files() == before
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def _hear_interrupts():
    """What runs in the background was started with SIGINT ignored, and hands that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _files():
    """What lies beside the builds and caches."""
    wanted = ("run-*", "taps-*", "*.part", ".*.part", "failed.log")
    return sorted(path for pattern in wanted for path in (PROJECT / "sim_build").glob(f"**/{pattern}"))


def test_damaged_caches_are_made_anew(tmp_path, capfd):
    """A truncated or altered file of weights or tape: said, and as good as new afterwards."""
    model, build = tmp_path / "model.bin", preset("nano").build
    write_checkpoint(random_checkpoint(SHAPE, seed=6), model)
    weights = quantised(model, tmp_path)
    tape = tape_file(model, weights, build, tmp_path)
    good = tape.read_bytes()
    (stored,) = tmp_path.glob("*.weights")
    size = stored.stat().st_size
    halves, nothing, bits = lambda d: d[: len(d) // 2], lambda d: b"", lambda d: d[:900] + b"\xff" * 9 + d[909:]
    for damage in (halves, nothing, bits):
        stored.write_bytes(damage(stored.read_bytes()))
        tape.write_bytes(damage(tape.read_bytes()))
        again = quantised(model, tmp_path)
        assert tape_file(model, again, build, tmp_path) == tape
        said = capfd.readouterr().err.splitlines()
        assert said == [f"{stored}: damaged, is made anew", f"{tape}: damaged, is made anew"]
        assert tape.read_bytes() == good and stored.stat().st_size == size
    read_tape(tape_file(model, quantised(model, tmp_path), build, tmp_path))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("option", ["--taps", "--json"])
def test_a_place_where_nothing_can_be_written_is_refused_before_the_run(option, nano, capfd):
    assert generate.main([*nano, option, "/proc/x.npz"]) == 2
    out, err = capfd.readouterr()
    assert out == "" and "generate: /proc/x.npz: nothing can be written in /proc" in err.splitlines()[-1]
    assert "quantise" not in err


def test_a_full_disk_is_seen_before_the_run(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match=f"{tmp_path}/x.npz: nothing can be written in .*No space left"):
        check_writable(tmp_path / "x.npz")
    assert os.listdir(tmp_path) == []


def test_a_disk_that_fills_up_names_the_file(nano, capfd):
    with pytest.raises(OSError, match="/dev/full: cannot be written: No space left"):
        write_whole("/dev/full", [b"x" * 100_000])
    assert generate.main([*nano, "--steps", "1", "--json", "/dev/full"]) == 2
    assert capfd.readouterr().err.splitlines()[-1].startswith("generate: /dev/full: cannot be written")


def test_a_model_too_large_names_the_configurations_that_hold_it():
    shape = ModelShape(128, 64, 1, 8, 8, 512, 64)
    with pytest.raises(ConfigError) as caught:
        build_that_holds(shape, "default")
    line = str(caught.value)
    assert "model dim: must be at most 64 in this build, is 128" in line and "configurations that hold" in line
    named = line.rpartition(": ")[2].split(", ")
    assert named == ["auto", *fitting(shape)] and "stories42M" in named and "nano" not in named
    for name in named[1:]:
        build_of(name).check(shape)


def test_auto_is_the_smallest_build():
    for name, known in PRESETS.items():
        build = build_that_holds(known.shape)
        assert build == build_for(known.shape), name
        assert (name in fitting(known.shape)) == (known.build.weights is None), name
    assert build_that_holds(SHAPE, lanes=8, engines=2) == build_for(SHAPE, lanes=8, engines=2)
    with pytest.raises(ConfigError, match="n_layers"):
        build_that_holds(ModelShape(16, 24, 1, 4, 2, 32, 16), "nano", engines=2)
