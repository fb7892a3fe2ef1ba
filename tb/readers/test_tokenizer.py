"""Tokenizer: llama2.c's ids, round trips, byte fallback, streaming, bad files."""

import json

import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.codec import StreamDecoder
from llama2_myhdl.readers.tokenizer import BOS, EOS, Tokenizer, read_tokenizer, write_tokenizer

BYTES = [f"<0x{byte:02X}>".encode() for byte in range(256)]
TEXTS = [
    "",
    "a",
    " two  spaces ",
    "naïve café",
    "日本語",
    "tab\tnewline\n",
    "🙂👍🏽 emoji",
    "nul \0 byte",
    "<0x41>, no byte",
]


@pytest.fixture
def tokenizer():
    """A small vocabulary: specials, bytes, some characters and merges."""
    words = [b" ", b"a", b"b", b"c", b"ab", b"bc", b" a", b"abc", "é".encode()]
    scores = [0, 0, 0, 0, -2, -1, -3, -4, 0]
    return Tokenizer((b"<unk>", b"\n<s>\n", b"\n</s>\n", *BYTES, *words), (0.0,) * 259 + tuple(map(float, scores)))


def token(tokenizer, piece):
    return tokenizer.pieces.index(piece)


def test_best_score_merges_first(tokenizer):
    # "bc" (-1) goes before "ab" (-2), so "abc" is " a" + "bc"
    assert tokenizer.encode("abc") == [BOS, token(tokenizer, b" a"), token(tokenizer, b"bc")]


def test_leftmost_of_equal_scores_merges_first():
    tokenizer = Tokenizer((b"<unk>", b"<s>", b"</s>", *BYTES, b" ", b"a", b"aa"), (0.0,) * 262)
    pieces = [tokenizer.pieces[t] for t in tokenizer.encode("aaa", bos=False)]
    assert pieces == [b" ", b"aa", b"a"]


def test_bos_and_eos(tokenizer):
    assert tokenizer.encode("", bos=False) == []
    assert tokenizer.encode("", eos=True) == [BOS, EOS]
    assert tokenizer.encode("b", bos=False, eos=True) == [token(tokenizer, b" "), token(tokenizer, b"b"), EOS]


def test_byte_fallback(tokenizer):
    assert tokenizer.encode("é") == [BOS, token(tokenizer, b" "), token(tokenizer, "é".encode())]
    assert tokenizer.encode("ü") == [BOS, token(tokenizer, b" "), 0xC3 + 3, 0xBC + 3]


@pytest.mark.parametrize("text", TEXTS)
def test_round_trip(tokenizer, text):
    assert tokenizer.decode_all(tokenizer.encode(text)) == text
    assert tokenizer.encode(text.encode()) == tokenizer.encode(text)


@pytest.mark.parametrize("text", [*TEXTS, "Once upon a time, there was a little girl named Lily."])
def test_round_trip_of_tok512(models, text):
    tokenizer = read_tokenizer(models / "tok512.bin", 512)
    assert tokenizer.decode_all(tokenizer.encode(text)) == text


def test_ids_and_text_of_llama2c(models, reference):
    tokenizer = read_tokenizer(models / "tok512.bin", 512)
    runs = json.loads((reference / "llama2c_stories260K_greedy.json").read_text())
    assert len(runs) == 2
    for prompt, run in runs.items():
        assert tokenizer.encode(prompt) == run["prompt_ids"]
        assert tokenizer.decode_all(run["prompt_ids"] + run["generated_ids"]) == run["text"]


def test_stream_holds_back_incomplete_characters(tokenizer):
    stream = StreamDecoder(tokenizer)
    emoji = [byte + 3 for byte in "🙂".encode()]
    assert [stream.feed(t) for t in emoji] == ["", "", "", "🙂"]
    assert stream.finish() == ""


def test_stream_replaces_what_never_becomes_a_character(tokenizer):
    stream = StreamDecoder(tokenizer)
    assert stream.feed(0xF0 + 3) == ""
    assert stream.feed(token(tokenizer, b"a")) == "\ufffda"
    assert stream.feed(0xE2 + 3) == ""
    assert stream.finish() == "\ufffd"


def test_space_is_stripped_after_bos_only(tokenizer):
    space = token(tokenizer, b" a")
    assert tokenizer.decode(BOS, space) == b"a"
    assert tokenizer.decode(space, space) == b" a"


@pytest.mark.parametrize("bad", [-1, 268])
def test_token_out_of_range(tokenizer, bad):
    with pytest.raises(ModelError, match=f"token must be 0 to 267, is {bad}"):
        tokenizer.decode(0, bad)


def test_text_that_is_not_utf8(tokenizer):
    with pytest.raises(ModelError, match="not UTF-8: byte 0xFF at position 2"):
        tokenizer.encode(b"ab\xffc")
    with pytest.raises(ModelError, match="not UTF-8: code point U.D800 at 1"):
        tokenizer.encode("a\ud800")


def test_vocabulary_without_bytes():
    tokenizer = Tokenizer((b"<unk>", b"<s>", b"</s>", b" ", b"a"), (0.0,) * 5)
    assert tokenizer.encode("a") == [BOS, 3, 4]
    with pytest.raises(ModelError, match="no token for byte 0x62"):
        tokenizer.encode("b")


def test_file_round_trip(tokenizer, tmp_path):
    write_tokenizer(tokenizer.pieces, tokenizer.scores, tmp_path / "tok.bin")
    assert read_tokenizer(tmp_path / "tok.bin", tokenizer.vocab_size) == tokenizer
    assert [file.name for file in tmp_path.iterdir()] == ["tok.bin"]


def test_rewritten_tok512_is_the_same_file(models, tmp_path):
    tokenizer = read_tokenizer(models / "tok512.bin", 512)
    write_tokenizer(tokenizer.pieces, tokenizer.scores, tmp_path / "tok.bin")
    assert (tmp_path / "tok.bin").read_bytes() == (models / "tok512.bin").read_bytes()


@pytest.mark.parametrize(
    ("change", "vocab_size", "message"),
    [
        (lambda data: data[:3], 268, "truncated: a tokenizer has at least 4 bytes, the file has 3"),
        (lambda data: data[:-1], 268, "token 267 of 268: truncated"),
        (lambda data: data[:-9], 268, "token 267 of 268: .*truncated, or the tokenizer of another vocabulary"),
        (lambda data: data, 269, "token 268 of 269: .*truncated, or the tokenizer of another vocabulary"),
        (lambda data: data, 267, "10 bytes left after 267 tokens: the tokenizer of another vocabulary"),
        (lambda data: b"\1\0\0\0" + data[4:], 268, "token 0 of 268: length must be 0 to 1, is 5"),
        (lambda data: data[:8] + b"\xff" * 4 + data[12:], 268, "token 0 of 268: length must be 0 to 6, is -1"),
        (lambda data: data[:4] + b"\0\0\xc0\x7f" + data[8:], 268, "token 0 of 268: score must be finite, is nan"),
    ],
)
def test_bad_files(tokenizer, tmp_path, change, vocab_size, message):
    path = tmp_path / "tok.bin"
    write_tokenizer(tokenizer.pieces, tokenizer.scores, path)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ModelError, match=f"tok.bin: {message}"):
        read_tokenizer(path, vocab_size)


def test_missing_file(tmp_path):
    with pytest.raises(ModelError, match="none.bin: cannot be read"):
        read_tokenizer(tmp_path / "none.bin", 512)
