"""The accuracy figures themselves, and the command that prints them."""

import numpy as np
import pytest

from llama2_myhdl.golden.accuracy import compare
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.host.accuracy import evaluate, main
from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.readers.tokenizer import write_tokenizer
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.weights.quantise import quantise_checkpoint

SHAPE = preset("nano").shape


def test_figures_by_hand():
    tokens = np.array([[0, 1, 0]])
    reference = np.log([[[0.25, 0.75], [0.5, 0.5], [0.9, 0.1]]])
    logits = np.log([[[0.5, 0.5], [0.75, 0.25], [0.9, 0.1]]])
    figures = compare(reference, logits, tokens)
    assert figures.positions == 3
    assert figures.agreement == pytest.approx(2 / 3)
    difference = np.log([0.25 / 0.5, 0.75 / 0.5, 0.5 / 0.75, 0.5 / 0.25])
    assert figures.mse == pytest.approx(np.sum(difference**2) / 6)
    assert figures.kl == pytest.approx(np.array([0.25, 0.75, 0.5, 0.5]) @ difference / 3)
    assert figures.perplexity == pytest.approx((0.5 * 0.75) ** -0.5)
    assert figures.perplexity_ratio == pytest.approx(((0.5 * 0.75) / (0.75 * 0.5)) ** -0.5)


def test_logits_may_differ_by_a_constant():
    reference = np.random.default_rng(1).standard_normal((2, 5, 7))
    figures = compare(reference, reference + 3, np.ones((2, 5), int))
    assert figures.kl == pytest.approx(0, abs=1e-12)
    assert figures.mse == pytest.approx(9)


def test_the_integer_model_loses_little_more_than_its_weights():
    checkpoint = random_checkpoint(SHAPE, seed=7)
    rows = evaluate(quantise_checkpoint(checkpoint), FloatModel(checkpoint), 256)
    assert list(rows) == ["float", "weights", "integer"]
    assert rows["float"].agreement == 1
    assert rows["integer"].positions == 256
    assert 0 < rows["integer"].mse < 3 * rows["weights"].mse
    assert rows["integer"].saturations == 0


@pytest.fixture
def files(tmp_path):
    write_checkpoint(random_checkpoint(SHAPE, seed=7), tmp_path / "model.bin")
    write_tokenizer([b"x"] * SHAPE.vocab_size, [0.0] * SHAPE.vocab_size, tmp_path / "tok.bin")
    return [str(tmp_path / "model.bin"), str(tmp_path / "tok.bin")]


def test_command(files, capsys):
    assert main([*files, "--positions", "32"]) == 0
    output = capsys.readouterr().out
    assert "32 positions" in output
    for row in ("float", "weights", "integer"):
        assert row in output


def test_command_refuses_bad_input(files, capsys):
    assert main([*files, "--positions", "0"]) == 2
    assert "--positions must be at least 2, is 0" in capsys.readouterr().err
    assert main([files[0], files[0]]) == 2
    assert capsys.readouterr().err.startswith("accuracy: ")


def test_command_takes_theta_and_epsilon(files, capsys):
    """They are printed, and they change the figures."""
    tables = []
    for theta, epsilon in (("10000", "1e-05"), ("3", "1e-05"), ("10000", "0.05")):
        assert main([*files, "--positions", "32", "--theta", theta, "--norm-eps", epsilon]) == 0
        output = capsys.readouterr().out
        assert f"theta {theta}, norm epsilon {epsilon}" in output
        tables.append(output[output.index("float") :])
    assert main([*files, "--positions", "32"]) == 0
    output = capsys.readouterr().out
    assert "theta 10000, norm epsilon 1e-05" in output and tables[0] in output
    assert len(set(tables)) == 3
    assert main([*files, "--theta", "0.5"]) == 2
    assert "rope_theta: must be finite and above 1, is 0.5" in capsys.readouterr().err
