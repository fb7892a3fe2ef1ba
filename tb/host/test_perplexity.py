"""`make perplexity`: a text on the nano build, against the two models by hand; windows; what is refused."""

import json
import math
from dataclasses import replace

import pytest

from llama2_myhdl.golden.fixed.arith import to_float
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.host import perplexity
from llama2_myhdl.host.figures import JSON
from llama2_myhdl.host.setup import Setup
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.readers.tokenizer import BOS, read_tokenizer
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.weights.cache import quantised
from tb.host.nano import SHAPE, options_of, told

LIMIT = 0.002  # of the hardware's perplexity, from the integer model's in float64
TEXT = "hi bad kid find a big cab and hide him"


@pytest.fixture(scope="module")
def nano(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nano")
    (folder / "text.txt").write_text(TEXT + "  \n\n")
    return options_of(folder)


@pytest.fixture(scope="module")
def text(nano):
    return ["--text", nano[1].replace("model.bin", "text.txt")]


def test_windows_begin_with_bos_and_hold_every_token_once():
    assert perplexity.windows([5, 6, 7, 8, 9], 2) == [[BOS, 5, 6], [BOS, 7, 8], [BOS, 9]]
    assert perplexity.windows([5, 6], 2) == [[BOS, 5, 6]]


def by_hand(windows, logits_of):
    """The perplexity, token by token in floats of Python."""
    total = 0.0
    for window in windows:
        for position, (token, target) in enumerate(zip(window, window[1:])):
            logits = logits_of(token, position)
            total += logits[target] - math.log(sum(math.exp(x) for x in logits))
    return math.exp(-total / sum(len(window) - 1 for window in windows))


def test_a_text_of_several_windows(nano, text, capfd):
    """Every token of the text is told; blanks at its end are none."""
    result = told(nano, *text, main=perplexity.main)
    tokens = read_tokenizer(nano[3], SHAPE.vocab_size).encode(TEXT, bos=False)
    windows = perplexity.windows(tokens, SHAPE.seq_len)
    assert result["golden_match"] and result["tokens"] == len(tokens) and result["windows"] == len(windows) > 1
    assert len(windows[-1]) < len(windows[0]) == SHAPE.seq_len + 1
    fixed, in_float = FixedModel(quantised(nano[1]), preset("nano").build), FloatModel(random_checkpoint(SHAPE, 21))
    integer = by_hand(windows, lambda token, position: to_float(fixed.forward(token, position)).tolist())
    assert result["integer"]["perplexity"] == pytest.approx(integer, rel=1e-9)
    assert result["hardware"]["perplexity"] == pytest.approx(integer, rel=LIMIT)
    expected = by_hand(windows, lambda token, position: in_float.forward(token, position).tolist())
    assert result["float"]["perplexity"] == pytest.approx(expected, rel=1e-5)
    out = capfd.readouterr().out
    assert f"{len(tokens)} tokens in windows of {SHAPE.seq_len}" in out and "every beat equal" in out


def test_a_shorter_context_has_more_windows(nano, text):
    short, whole = (told(nano, *text, *more, main=perplexity.main) for more in (["--context=5"], []))
    assert short["golden_match"] and short["tokens"] == whole["tokens"]
    assert (short["windows"], short["window"]) == (math.ceil(short["tokens"] / 5), 5)


def test_without_a_text_the_model_makes_one(nano, monkeypatch):
    """Always the same, of at least so many tokens."""
    monkeypatch.setattr(perplexity, "TOKENS", 40)
    one, again = (told(nano, main=perplexity.main) for _ in range(2))
    assert one == again and one["golden_match"]
    assert one["tokens"] == 3 * (SHAPE.seq_len - 1) and one["windows"] == 3


def test_one_wrong_beat_is_seen(nano, text, monkeypatch, capfd):
    right = perplexity.Checker.finish

    def wrong(checker):
        answers = right(checker)
        answers.beats[1][2] = replace(answers.beats[1][2], logprob=answers.beats[1][2].logprob + 1)
        return answers

    monkeypatch.setattr(perplexity.Checker, "finish", wrong)
    assert not told(nano, *text, main=perplexity.main, status=1)["golden_match"]
    assert "every beat DIFFERENT" in capfd.readouterr().out


def test_the_published_perplexities_are_those_of_float64():
    """Of texts of 2,000 tokens and more, every beat equal to the integer model's."""
    figures = {name: entry for name, entry in json.loads(JSON.read_text()).items() if name.startswith("perplexity/")}
    assert len(figures) == 2
    for entry in figures.values():
        values = entry["values"]
        assert values["tokens"] >= 2000 and values["golden_match"]
        assert values["hardware"]["perplexity"] == pytest.approx(values["integer"]["perplexity"], rel=LIMIT)


@pytest.mark.parametrize(
    "data, words",
    [
        (None, ["cannot be read", "No such file"]),
        (b"", ["empty"]),
        (b" \n\t\n", ["empty"]),
        (b"caf\xe9", ["UTF-8", "0xE9"]),
    ],
)
def test_a_text_that_is_none(data, words, tmp_path, monkeypatch, capfd):
    path = tmp_path / "text.txt"
    if data is not None:
        path.write_bytes(data)
    refused([f"--text={path}"], [str(path), *words], monkeypatch, capfd)


@pytest.mark.parametrize(
    "options, words",
    [
        (["--config=ecp5-85f"], ["ecp5-85f", "no sampler (list_entries = 0)"]),
        (["--context=1"], ["context", "at least 2", "1"]),
        (["--context=0"], ["context", "1 to the model's 256", "0"]),
        (["--lanes=3"], ["lanes", "power of two", "3"]),
        (["--model=/nowhere.bin"], ["/nowhere.bin"]),
        (["--json=/nowhere/x.json"], ["/nowhere"]),
    ],
)
def test_bad_options(options, words, monkeypatch, capfd):
    refused(options, words, monkeypatch, capfd)


def refused(options, words, monkeypatch, capfd):
    """One line, before anything is made."""
    monkeypatch.setattr(Setup, "open", None)
    assert perplexity.main(options) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("perplexity: ")
    assert all(word in err for word in words), err
