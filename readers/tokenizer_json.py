"""Hugging Face's tokenizer.json, through the library `tokenizers`."""

import json
import re
from pathlib import Path

import tokenizers

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.codec import TextCodec, utf8_text

_BLANK = "\u2581"  # in pieces of vocabularies that come from SentencePiece, for a blank
_BYTE_PIECE = re.compile("<0x([0-9A-Fa-f]{2})>")


def _byte_alphabet() -> dict[str, int]:
    """The character that stands for each byte in byte-level vocabularies: itself where it can be seen, else from 256
    on, in the order of the bytes."""
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in seen]
    return {chr(byte): byte for byte in seen} | {chr(256 + k): byte for k, byte in enumerate(hidden)}


_ALPHABET = _byte_alphabet()


class JsonCodec(TextCodec):
    """backend: of the library, byte-level or with pieces of SentencePiece; leads: texts begin with BOS whatever the
    backend's own post-processor puts there."""

    def __init__(self, backend: tokenizers.Tokenizer, name: str, bos: int, leads: bool = False):
        """Raises ModelError for a backend of another kind."""
        self._backend, self._name, self.bos, self._leads = backend, name, bos, leads
        self._added = backend.get_added_tokens_decoder()
        self._vocab_size = max(backend.get_vocab(with_added_tokens=True).values(), default=-1) + 1
        steps = _decoder_steps(backend)
        self._byte_level = "ByteLevel" in steps
        if not self._byte_level and not steps & {"ByteFallback", "Metaspace"}:
            found = ", ".join(sorted(steps)) or "none"
            raise ModelError(f"{name}: decoder must have ByteLevel, ByteFallback or Metaspace, has {found}")

    @property
    def vocab_size(self) -> int:
        return self._vocab_size

    def encode(self, text: str | bytes, bos: bool = True) -> list[int]:
        tokens = self._ids(utf8_text(text), bos)
        return [self.bos, *tokens] if bos and (self._leads or not tokens) else tokens

    def encode_marked(self, text: str) -> list[int]:
        return self._ids(text, False)

    def _ids(self, text: str, special: bool) -> list[int]:
        try:
            return self._backend.encode(text, add_special_tokens=special).ids
        except Exception as error:  # the library has no class of its own for what is wrong with a vocabulary
            raise ModelError(f"{self._name}: {' '.join(str(error).split())[:200]}") from error

    def decode(self, previous: int, token: int) -> bytes:
        if token in self._added:
            return b"" if self._added[token].special else self._added[token].content.encode()
        piece = self._backend.id_to_token(token) if token >= 0 else None
        if piece is None:
            return b""  # of a model with more rows than there are pieces
        if self._byte_level:
            if all(character in _ALPHABET for character in piece):
                return bytes(_ALPHABET[character] for character in piece)
            return piece.encode()
        if found := _BYTE_PIECE.fullmatch(piece):
            return bytes([int(found[1], 16)])
        text = piece.replace(_BLANK, " ").encode()
        return text[1:] if previous == self.bos and text.startswith(b" ") else text


def _decoder_steps(backend: tokenizers.Tokenizer) -> set[str]:
    """Types of the decoder's steps."""
    if backend.decoder is None:
        return set()
    decoder = json.loads(backend.decoder.__getstate__())
    return {step.get("type") for step in decoder.get("decoders", [decoder])}


def read_tokenizer_json(path: Path, bos: int) -> JsonCodec:
    """The codec of a file. Raises ModelError."""
    try:
        data = path.read_bytes().decode()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: is no UTF-8: {error}") from error
    try:
        backend = tokenizers.Tokenizer.from_str(data)
    except Exception as error:  # the library has no class of its own for what is wrong with a file
        raise ModelError(f"{path}: is no tokenizer.json: {' '.join(str(error).split())[:200]}") from error
    return JsonCodec(backend, str(path), bos)
