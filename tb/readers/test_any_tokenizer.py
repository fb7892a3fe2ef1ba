"""Tokenizers of all kinds against the libraries that they come from, on texts in ten scripts; folders and templates."""

import json
import random
import re
from dataclasses import replace
from functools import partial

import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.any_tokenizer import any_tokenizer
from llama2_myhdl.readers.chat import LONGEST, ChatTemplate
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.spec.config import ModelShape
from tb.readers import gguf_files, vocabularies
from tb.readers.refusals import says
from tb.readers.texts import SCRIPTS, texts

CHECKPOINT = replace(random_checkpoint(ModelShape(32, 32, 1, 2, 2, 1100, 16), seed=1), bos=0, stops=(1,))
LLAMA2 = replace(CHECKPOINT, bos=1, stops=(2,))
TEXTS = texts(1000, seed=9)
BAD = [b"\xff", b"ab\xc3", "🙂".encode()[:3], b"\xed\xa0\x80"]


def write_json(folder, backend):
    (folder / "tokenizer.json").write_text(backend.to_str())
    return any_tokenizer(folder, None, CHECKPOINT)


def write_gguf(folder, change):
    path = gguf_files.write(folder / "m.gguf", CHECKPOINT, change=change, stored={})
    return path


def test_the_texts_are_of_all_kinds():
    together = "".join(TEXTS)
    assert len(TEXTS) == 1000 and len(SCRIPTS) >= 10
    for low, high in SCRIPTS.values():
        assert sum(low <= ord(character) <= high for character in together) > 100
    assert together.count("🙂") > 50 and together.count("\ufffd") > 50


def cut(tokens, rng):
    """Some tokens in the middle of others: characters lose bytes at both ends."""
    first = rng.randrange(len(tokens) + 1)
    return tokens[first : rng.randrange(first, len(tokens) + 1)]


@pytest.mark.parametrize("source", ["folder", "file", "GGUF"])
@pytest.mark.parametrize("how", vocabularies.CUTS)
def test_byte_level(tmp_path, how, source):
    """Tokens, texts and parts of texts, from tokenizer.json and from a GGUF file with the same vocabulary."""
    backend, rng = vocabularies.byte_level(how, leads=how == "llama-bpe"), random.Random(5)
    (tmp_path / "tokenizer.json").write_text(backend.to_str())
    if source == "GGUF":
        change = lambda writer: vocabularies.add_byte_level(writer, backend, how)  # noqa: E731
        codec = any_tokenizer(write_gguf(tmp_path, change), None, CHECKPOINT)
    else:
        where = tmp_path if source == "folder" else tmp_path / "tokenizer.json"
        codec = any_tokenizer("model.bin", where, CHECKPOINT)
    assert codec.vocab_size == backend.get_vocab_size() > 600
    merged = 0
    for text in [*TEXTS, "a<|im_start|>b", "wordless words"]:
        plain, whole = backend.encode(text, add_special_tokens=False).ids, backend.encode(text).ids
        assert codec.encode(text, bos=False) == plain
        assert codec.encode(text) == (whole or [0]), text
        assert codec.encode_marked(text) == plain
        assert codec.decode_all(plain) == backend.decode(plain, skip_special_tokens=True)
        part = cut(plain, rng)
        assert codec.decode_all(part) == backend.decode(part, skip_special_tokens=True)
        merged += len(text.encode()) > len(plain)
    assert merged > 900
    assert [codec.decode(5, token) for token in (0, 1099, -1)] == [b""] * 3


def one_mark(text):
    """What is no character is one mark for the one, a mark a byte for the other library."""
    return re.sub("\ufffd+", "\ufffd", text)


@pytest.mark.parametrize("source", ["folder", "file"])
def test_sentencepiece(tmp_path, source):
    processor, rng = vocabularies.pieces(), random.Random(5)
    (tmp_path / "tokenizer.model").write_bytes(vocabularies.pieces_proto())
    where = tmp_path if source == "folder" else tmp_path / "tokenizer.model"
    codec = any_tokenizer("model.bin", where, LLAMA2)
    assert codec.vocab_size == processor.get_piece_size() == vocabularies.PIECES
    for text in TEXTS:
        tokens = processor.encode(text)
        assert codec.encode(text) == [1, *tokens] and codec.encode(text, bos=False) == tokens
        assert codec.decode_all([1, *tokens]) == processor.decode(tokens) == text
        part = cut(tokens, rng)
        assert one_mark(codec.decode_all([1, *part])) == one_mark(processor.decode(part))
    assert [codec.decode(5, token) for token in (1, 2, 1099, -1)] == [b""] * 4


def test_pieces_with_scores_in_a_gguf_file(tmp_path):
    """The merges of llama2.c's tokenizer are those of SentencePiece."""
    processor, rng = vocabularies.pieces(), random.Random(5)
    codec = any_tokenizer(write_gguf(tmp_path, vocabularies.add_pieces), None, LLAMA2)
    assert codec.vocab_size == vocabularies.PIECES
    for text in TEXTS:
        tokens = processor.encode(text)
        assert codec.encode(text) == [1, *tokens], text
        assert codec.decode_all([1, *tokens]) == text
        part = cut(tokens, rng)
        assert one_mark(codec.decode_all([1, *part])) == one_mark(processor.decode(part))
    assert codec.encode_marked("</s>a<s>") == [2, *processor.encode("a"), 1]


def test_pieces_in_a_tokenizer_json(tmp_path):
    """Bytes, blanks and the one in front, as Llama 2's folders have them."""
    backend, rng = vocabularies.with_blanks(), random.Random(5)
    (tmp_path / "tokenizer.json").write_text(backend.to_str())
    codec, whole = any_tokenizer(tmp_path, None, LLAMA2), 0
    for text in TEXTS:
        tokens = backend.encode(text).ids
        assert codec.encode(text) == (tokens or [1])
        assert codec.decode_all([1, *tokens]) == backend.decode(tokens) == text
        part = cut(tokens, rng)
        found, expected = codec.decode_all([1, *part]), backend.decode(part)
        # the library gives up a whole row of bytes for one character that is not whole
        whole += found == expected
        assert "\ufffd" in expected or found == expected
    assert whole > 500


@pytest.fixture(params=["json", "model", "GGUF"])
def codec(request, tmp_path):
    if request.param == "json":
        return write_json(tmp_path, vocabularies.byte_level("smollm", False))
    if request.param == "GGUF":
        return any_tokenizer(write_gguf(tmp_path, vocabularies.add_pieces), None, LLAMA2)
    (tmp_path / "tokenizer.model").write_bytes(vocabularies.pieces_proto())
    return any_tokenizer(tmp_path, None, LLAMA2)


def test_text_that_is_not_utf8_is_refused_by_all(codec):
    for text in [*BAD, "a\ud800"]:
        with pytest.raises(ModelError, match="text is not UTF-8"):
            codec.encode(text)
    assert codec.encode("é".encode()) == codec.encode("é")


def test_an_empty_prompt_starts_from_bos(codec):
    assert codec.encode("") == [codec.bos] and codec.encode("", bos=False) == []


TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}{{ bos_token }}<|im_start|>assistant\n{% endif %}"
)
EXPECTED = "<|im_start|>user\nhi<|end|>\n<|begin|><|im_start|>assistant\n"
HI = [dict(role="user", content="hi")]


@pytest.mark.parametrize("place", ["settings", "named", "file", "GGUF"])
def test_chat(tmp_path, place):
    """The template's special tokens are such, wherever the template stands."""
    backend = vocabularies.byte_level("smollm", False)
    settings = dict(bos_token=dict(content="<|begin|>"), eos_token="<|end|>", pad_token=None)
    if place == "GGUF":

        def change(writer):
            vocabularies.add_byte_level(writer, backend, "smollm")
            writer.add_chat_template(TEMPLATE)

        codec = any_tokenizer(write_gguf(tmp_path, change), None, CHECKPOINT)
    else:
        if place == "file":
            (tmp_path / "chat_template.jinja").write_text(TEMPLATE)
        named = [dict(name="tools", template="?"), dict(name="default", template=TEMPLATE)]
        settings |= {"settings": dict(chat_template=TEMPLATE), "named": dict(chat_template=named), "file": {}}[place]
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
        codec = write_json(tmp_path, backend)
    tokens = codec.chat(HI)
    assert codec.template.render(HI) == EXPECTED
    assert tokens == backend.encode(EXPECTED).ids and tokens.count(2) == 2


def test_chat_with_pieces(tmp_path):
    """SentencePiece takes a text for what it says: the codec finds the names of its control tokens."""
    (tmp_path / "tokenizer.model").write_bytes(vocabularies.pieces_proto())
    settings = dict(bos_token="<s>", chat_template="{{ bos_token }}[INST] {{ messages[0].content }} [/INST]")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    codec = any_tokenizer(tmp_path, None, LLAMA2)
    assert codec.chat(HI) == [1, *vocabularies.pieces().encode("[INST] hi [/INST]")]


def test_no_template(codec):
    with pytest.raises(ModelError, match="chat: the model has no chat template"):
        codec.chat(HI)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{% for %}", "TemplateSyntaxError"),
        ("{{ raise_exception('only\nusers') }}", "only users"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ messages.__class__.__mro__ }}", "SecurityError"),
        ("{{ messages[0].content.__class__.mro() }}", "SecurityError"),
        ("{{ 'x' * 100000000 }}", f"at most {LONGEST} characters"),
        ("{{ 10 ** 10 ** 10 }}", "powers are not computed"),
        ("{% for i in range(99999) %}{{ 'x' * 1000 }}{% endfor %}", f"at most {LONGEST} characters"),
        ("{{ messages.append(1) }}", "SecurityError"),
        ("{{ undefined.thing }}", "UndefinedError"),
    ],
)
def test_templates_that_are_no_good(text, words):
    with pytest.raises(ModelError) as caught:
        ChatTemplate(text, {}).render(HI)
    line = str(caught.value)
    assert line.startswith("chat template: ") and words in line and "\n" not in line


def refused(model, given, *words, checkpoint=CHECKPOINT):
    says(partial(any_tokenizer, model, given, checkpoint), *words)


def test_refusals(tmp_path):
    refused(tmp_path, None, "must have tokenizer.json or tokenizer.model, has neither")
    refused(tmp_path / "model.bin", None, "--tokenizer: must be given with --model")
    refused(tmp_path, tmp_path / "none.json", "none.json: cannot be read")
    file = tmp_path / "tokenizer.json"
    for content, words in (
        (b"{}", "is no tokenizer.json"),
        (b"", "is no tokenizer.json"),
        (b"\xff", "is no UTF-8"),
        (vocabularies.byte_level("smollm", False).to_str().replace("ByteLevel", "Nothing").encode(), "is no tokenizer"),
    ):
        file.write_bytes(content)
        refused(tmp_path, None, "tokenizer.json", words)
    backend = json.loads(vocabularies.byte_level("smollm", False).to_str())
    file.write_text(json.dumps(backend | dict(decoder=None)))
    refused(tmp_path, None, "decoder must have ByteLevel, ByteFallback or Metaspace, has none")
    file.write_text(json.dumps(backend))
    (tmp_path / "other.json").write_bytes(b"\0")
    refused("model.bin", tmp_path / "other.json", "other.json: is no tokenizer.json")
    (tmp_path / "other.model").write_bytes(b"\0")
    refused("model.bin", tmp_path / "other.model", "other.model: is no SentencePiece model")
    small = replace(CHECKPOINT, shape=replace(CHECKPOINT.shape, vocab_size=100))
    refused(tmp_path, None, "another vocabulary", "701 tokens, the model 100", checkpoint=small)
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": 7}')
    refused(tmp_path, None, "chat_template must be a text, is int")
    file.unlink()
    (tmp_path / "tokenizer.model").write_bytes(b"")
    refused(tmp_path, None, "is no SentencePiece model")
    (tmp_path / "tokenizer.model").write_bytes(b"nonsense")
    refused(tmp_path, None, "is no SentencePiece model")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: None, "tokenizer.ggml.model must be llama or gpt2, is 'None'"),
        (lambda w: w.add_tokenizer_model("bert"), "must be llama or gpt2, is 'bert'"),
        (lambda w: w.add_tokenizer_model("gpt2"), "tokenizer.ggml.tokens must be an array, is None"),
        (lambda w: (w.add_tokenizer_model("gpt2"), w.add_array("tokenizer.ggml.tokens", [1, 2])), "array of str"),
        (lambda w: (w.add_tokenizer_model("llama"), w.add_token_list(["a"] * 300)), "tokenizer.ggml.scores"),
        (
            lambda w: (w.add_tokenizer_model("llama"), w.add_token_list(["a"]), w.add_token_scores([0.0])),
            "bytes must be the tokens from 3 on",
        ),
        (
            lambda w: (w.add_tokenizer_model("gpt2"), w.add_token_list(["a", "b"]), w.add_tokenizer_pre("qwen2")),
            "tokenizer.ggml.pre must be llama-bpe, smollm, gpt-2, is 'qwen2'",
        ),
        (
            lambda w: (w.add_tokenizer_model("gpt2"), w.add_token_list(["a"]), w.add_token_merges(["a"])),
            "merges must be pairs, has 'a'",
        ),
        (
            lambda w: (w.add_tokenizer_model("gpt2"), w.add_token_list(["a"]), w.add_token_merges(["a b"])),
            "tokenizer.ggml.merges: ",
        ),
        (
            lambda w: (w.add_tokenizer_model("gpt2"), w.add_token_list(["a", "a"]), w.add_token_merges(["a a"])),
            "has a piece twice",
        ),
        (
            lambda w: (w.add_tokenizer_model("gpt2"), w.add_token_list(["a", "b"]), w.add_token_types([1])),
            "token_type must be an array of 2",
        ),
    ],
)
def test_refusals_of_gguf_tokenizers(tmp_path, change, words):
    refused(write_gguf(tmp_path, change), None, "m.gguf", words)
