"""The shipped model loads, is small, and tells stories that are made of the grammar's words and come to an end."""

import random
import re
from collections import Counter
from pathlib import Path

import pytest

from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.readers.checkpoint import read_checkpoint
from llama2_myhdl.readers.tokenizer import BOS, Tokenizer, read_tokenizer
from llama2_myhdl.spec.presets import PRESETS
from llama2_myhdl.weights.train.grammar import stories, story, vocabulary, words_of

FOLDER = Path(__file__).parents[2] / "weights" / "default"
SIZE_LIMIT = 2_000_000
ATTRIBUTION = {"said", "asked", "he", "she"}  # may follow a closing quotation mark
PROMPTS = ("", "Once upon a time", "Hi", "Tom", "The little fox")


@pytest.fixture(scope="module")
def model() -> FloatModel:
    return FloatModel(read_checkpoint(FOLDER / "model.bin"))


@pytest.fixture(scope="module")
def tokenizer(model) -> Tokenizer:
    return read_tokenizer(FOLDER / "tokenizer.bin", model.shape.vocab_size)


@pytest.fixture(scope="module")
def told(model, tokenizer) -> dict[str, tuple[str, int]]:
    """For each prompt its greedy story and the positions it took."""
    result = {}
    for prompt in PROMPTS:
        ids = tokenizer.encode(prompt)
        ids += model.generate(ids, model.shape.seq_len)
        result[prompt] = tokenizer.decode_all(ids), len(ids)
    return result


def sentences(text: str) -> list[str]:
    return [part.strip(' "') for part in re.split(r"[.!?]", text) if part.strip(' "')]


def unknown_words(text: str) -> list[str]:
    known = vocabulary()
    return [word for word in words_of(text) if word not in known]


def test_files_are_small_and_fit_the_default_build(model, tokenizer):
    assert sum(path.stat().st_size for path in FOLDER.glob("*.bin")) < SIZE_LIMIT
    PRESETS["default"].build.check(model.shape)
    assert model.shape != PRESETS["default"].shape, "another shape than the preset's, so that loading shapes is tested"
    assert tokenizer.vocab_size == 512 and tokenizer.pieces[BOS] == b"\n<s>\n"
    assert tokenizer.pieces[3:259] == tuple(b"<0x%02X>" % byte for byte in range(256))


def test_tokenizer_round_trip(tokenizer):
    for text in stories(seed=3, count=50):
        ids = tokenizer.encode(text)
        assert tokenizer.decode_all(ids) == text
        assert not any(3 <= token <= 258 for token in ids), "no byte fallback needed"


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_story(told, model, prompt):
    text, positions = told[prompt]
    print(text)
    assert text.startswith(prompt)
    assert positions <= model.shape.seq_len
    assert positions == model.shape.seq_len or text[-1] in '.!?"', "the story ends with a sentence"
    words = words_of(text)
    assert len(words) >= 60
    assert len(unknown_words(text)) <= 0.05 * len(words), unknown_words(text)
    assert max(Counter(sentences(text)).values()) <= 2


def test_prompts_give_different_stories(told):
    assert len({text for text, _ in told.values()}) >= len(PROMPTS) - 1


def test_measures_can_fail():
    assert unknown_words("The fox xyzzy sat down") == ["xyzzy"]
    assert max(Counter(sentences("It was fun. Oh! It was fun. It was fun.")).values()) == 3


def test_grammar_is_seeded_and_varied():
    first = list(stories(seed=5, count=2000))
    assert first == list(stories(seed=5, count=2000))
    assert first != list(stories(seed=6, count=2000))
    assert len(set(first)) == 2000
    assert story(random.Random(5)) == first[0]


def test_grammar_text_is_clean():
    for text in stories(seed=8, count=2000):
        assert not re.search(r"[{}\[\]|_]|  |\b[Aa] [aeiou]|\.\.| [.,!?]", text), text
        assert text.count('"') % 2 == 0, text
        assert text[0].isupper() and text[-1] in '.!"', text
        assert all(part[0].isupper() for part in re.findall(r'[.!?] "?(\w+)', text) if part not in ATTRIBUTION), text
