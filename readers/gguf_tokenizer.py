"""The tokenizer inside a GGUF file: pieces with scores of SentencePiece, or byte-level merges."""

from dataclasses import replace
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, decoders, models, pre_tokenizers

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.chat import ChatTemplate
from llama2_myhdl.readers.codec import TextCodec
from llama2_myhdl.readers.gguf_header import GgufArray, GgufFile
from llama2_myhdl.readers.json_text import Fields
from llama2_myhdl.readers.tokenizer import BYTE_BASE, Tokenizer
from llama2_myhdl.readers.tokenizer_json import JsonCodec

_BLANK = "\u2581"  # in pieces, for a blank
_CONTROL, _USER, _UNUSED = 3, 4, 5  # types of tokens
# How Llama 3 cuts a text into words: contractions, words with one sign in front, up to three digits, signs, blanks.
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _llama3() -> list:
    words = pre_tokenizers.Split(tokenizers.Regex(_LLAMA3), "isolated")
    return [words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]


def _smollm() -> list:
    return [pre_tokenizers.Digits(individual_digits=True), *_gpt2()]


def _gpt2() -> list:
    return [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]


# how a text is cut before it is merged, and whether BOS leads unless the file says so
_CUTS = {"llama-bpe": (_llama3, True), "smollm": (_smollm, False), "gpt-2": (_gpt2, False)}


def read_gguf_tokenizer(path: Path, bos: int) -> TextCodec:
    """The codec of a file, with its chat template. Raises ModelError; OSError passes."""
    file = GgufFile(path)
    kind = file.values.get("tokenizer.ggml.model")
    if kind not in ("llama", "gpt2"):
        raise ModelError(f"{path}: tokenizer.ggml.model must be llama or gpt2, is {str(kind)[:60]!r}")
    pieces = _array(file, "tokens", str)
    types = _array(file, "token_type", int, len(pieces)) or [1] * len(pieces)
    codec = (_pieces if kind == "llama" else _merges)(file, pieces, types, bos)
    text = file.values.get("tokenizer.chat_template")
    if isinstance(text, str):
        tokens = {"bos_token": bos, "eos_token": file.values.get("tokenizer.ggml.eos_token_id")}
        known = {name: pieces[t] for name, t in tokens.items() if isinstance(t, int) and 0 <= t < len(pieces)}
        codec = _with_template(codec, ChatTemplate(text, known))
    return codec


def _with_template(codec: TextCodec, template: ChatTemplate) -> TextCodec:
    if isinstance(codec, Tokenizer):
        return replace(codec, template=template)
    codec.template = template
    return codec


def _array(file: GgufFile, key: str, kind: type, size: int | None = None) -> list:
    """An array of the tokenizer; an empty one where it may be missing: where its size is known."""
    key = f"tokenizer.ggml.{key}"
    found = file.values.get(key, [] if size else None)
    if not isinstance(found, GgufArray | list) or size and len(found) not in (0, size):
        raise ModelError(f"{file.name}: {key} must be an array{f' of {size}' if size else ''}, is {str(found)[:60]}")
    values = list(found)
    if not all(isinstance(value, kind) for value in values):
        raise ModelError(f"{file.name}: {key} must be an array of {kind.__name__}")
    return values


def _pieces(file: GgufFile, pieces: list[str], types: list[int], bos: int) -> Tokenizer:
    """As llama2.c's, whose merges by score are those of SentencePiece."""
    values = Fields(file.values, file.name)
    scores = _array(file, "scores", float, len(pieces))
    if not scores:
        raise ModelError(f"{file.name}: tokenizer.ggml.scores must be an array of {len(pieces)}, is missing")
    expected = [f"<0x{byte:02X}>" for byte in range(256)]
    if pieces[BYTE_BASE : BYTE_BASE + 256] != expected:
        raise ModelError(f"{file.name}: tokenizer.ggml.tokens: bytes must be the tokens from {BYTE_BASE} on")
    values.must_be("tokenizer.ggml.add_space_prefix", True, False)
    values.must_be("tokenizer.ggml.add_bos_token", True, False)
    silent = [kind in (_CONTROL, _UNUSED) for kind in types]
    return Tokenizer(
        tuple(b"" if quiet else piece.replace(_BLANK, " ").encode() for piece, quiet in zip(pieces, silent)),
        tuple(scores),
        bos=bos,
        prefix=file.values.get("tokenizer.ggml.add_space_prefix", True),
        leads=file.values.get("tokenizer.ggml.add_bos_token", True),
        specials={piece: token for token, piece in enumerate(pieces) if types[token] == _CONTROL and piece},
    )


def _merges(file: GgufFile, pieces: list[str], types: list[int], bos: int) -> JsonCodec:
    cut = file.values.get("tokenizer.ggml.pre", "gpt-2")
    if cut not in _CUTS:
        raise ModelError(f"{file.name}: tokenizer.ggml.pre must be {', '.join(_CUTS)}, is {str(cut)[:60]!r}")
    steps, leads = _CUTS[cut]
    Fields(file.values, file.name).must_be("tokenizer.ggml.add_bos_token", leads, not leads)
    merges = [tuple(merge.split(" ", 1)) for merge in _array(file, "merges", str)]
    if bad := next((merge for merge in merges if len(merge) != 2), None):
        raise ModelError(f"{file.name}: tokenizer.ggml.merges must be pairs, has {bad[0][:60]!r}")
    vocabulary = {piece: token for token, piece in enumerate(pieces)}
    if len(vocabulary) != len(pieces):
        raise ModelError(f"{file.name}: tokenizer.ggml.tokens has a piece twice")
    try:
        model = models.BPE(vocab=vocabulary, merges=merges, ignore_merges=cut == "llama-bpe")
    except Exception as error:  # the library has no class of its own for what is wrong with merges
        raise ModelError(f"{file.name}: tokenizer.ggml.merges: {' '.join(str(error).split())[:200]}") from error
    backend = tokenizers.Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.Sequence(steps())
    backend.decoder = decoders.ByteLevel()
    for kind, add in ((_CONTROL, backend.add_special_tokens), (_USER, backend.add_tokens)):
        found = [piece for token, piece in enumerate(pieces) if types[token] == kind and piece]
        add([AddedToken(piece, special=kind == _CONTROL, normalized=False) for piece in found])
    return JsonCodec(backend, file.name, bos, file.values.get("tokenizer.ggml.add_bos_token", leads))
