"""The accuracy figures themselves, and the command that prints them."""

import numpy as np
import pytest

from llama2_myhdl.golden.accuracy import Accuracy, Comparison, compare, evaluation_tokens, spread
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.host.accuracy import evaluate, main
from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.readers.tokenizer import write_tokenizer
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.weights.quantise import quantise_checkpoint
from tb.host.nano import options_of

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


def test_sequences_of_unequal_lengths_count_by_their_positions():
    rng = np.random.default_rng(4)
    texts = [rng.integers(0, 6, length) for length in (5, 2)]
    logits = [rng.standard_normal((2, len(text), 6)) for text in texts]
    together, alone = Comparison(), []
    for text, (reference, other) in zip(texts, logits):
        together.add(reference, other, text)
        alone.append(compare(reference[None], other[None], text[None]))
    found = together.accuracy(3)
    assert (found.positions, found.saturations) == (7, 3)
    for name in ("agreement", "mse", "kl"):
        assert getattr(found, name) == pytest.approx((5 * getattr(alone[0], name) + 2 * getattr(alone[1], name)) / 7)
    assert np.log(found.perplexity_ratio) == pytest.approx(
        (4 * np.log(alone[0].perplexity_ratio) + np.log(alone[1].perplexity_ratio)) / 5
    )


def test_spread_is_mean_and_sample_deviation():
    means, deviations = spread([Accuracy(8, agreement, 0.5, 0.1, 2.0, 1.0) for agreement in (0.5, 0.75, 1.0)])
    assert (means["agreement"], deviations["agreement"], deviations["mse"]) == (0.75, 0.25, 0)


def test_logits_may_differ_by_a_constant():
    reference = np.random.default_rng(1).standard_normal((2, 5, 7))
    figures = compare(reference, reference + 3, np.ones((2, 5), int))
    assert figures.kl == pytest.approx(0, abs=1e-12)
    assert figures.mse == pytest.approx(9)


def test_the_integer_model_loses_little_more_than_its_weights():
    checkpoint = random_checkpoint(SHAPE, seed=7)
    model = FloatModel(checkpoint)
    rows = evaluate(quantise_checkpoint(checkpoint), model, evaluation_tokens(model, 256))
    assert list(rows) == ["float", "weights", "integer", "arithmetic"]
    assert rows["float"].agreement == 1
    assert rows["integer"].positions == 256
    assert 0 < rows["integer"].mse < 3 * rows["weights"].mse
    assert rows["integer"].saturations == 0
    assert 0 < rows["arithmetic"].mse < rows["integer"].mse
    assert rows["arithmetic"].perplexity == rows["integer"].perplexity


@pytest.fixture
def files(tmp_path):
    write_checkpoint(random_checkpoint(SHAPE, seed=7), tmp_path / "model.bin")
    write_tokenizer([b"x"] * SHAPE.vocab_size, [0.0] * SHAPE.vocab_size, tmp_path / "tok.bin")
    return [str(tmp_path / "model.bin"), str(tmp_path / "tok.bin")]


def test_command(files, capsys):
    assert main([*files, "--positions", "32"]) == 0
    output = capsys.readouterr().out
    assert "32 positions" in output
    for row in ("float", "weights", "integer", "arithmetic"):
        assert row in output
    assert main([*files, "--positions", "32", "--seeds", "3"]) == 0
    output = capsys.readouterr().out
    assert "32 positions, mean and standard deviation of 3 seeds" in " ".join(output.split())


def test_command_takes_a_text(tmp_path, capsys):
    """All of it, or so many of its tokens, in windows that begin with BOS."""
    _, model, _, tokenizer, *_ = options_of(tmp_path)
    files = [model, tokenizer]
    (tmp_path / "text").write_text("hi hi " * 30)
    assert main([*files, "--text", str(tmp_path / "text"), "--positions", "20"]) == 0
    assert "teacher-forced, 22 positions" in capsys.readouterr().out
    (tmp_path / "text").write_text(" ")
    assert main([*files, "--text", str(tmp_path / "text")]) == 2
    assert capsys.readouterr().err.strip().endswith("must have a text, is empty")
    assert main([*files, "--text", str(tmp_path / "text"), "--seeds", "2"]) == 2
    assert "--seeds is of sampled texts: must be 1 with --text, is 2" in capsys.readouterr().err
    assert main([*files, "--seeds", "0"]) == 2
    assert "--seeds must be 1 to 100, is 0" in capsys.readouterr().err


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
