"""llama2.c's byte-pair tokenizer: `tokenizer.bin` reader and writer, encode and decode as `run.c` does them.

File layout, little-endian: int32 max_token_length, then for every token float32 score, int32 length and that many
bytes. The vocabulary's size is not in the file; it comes from the model.
"""

import heapq
import math
import os
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import write_whole
from llama2_myhdl.readers.chat import ChatTemplate
from llama2_myhdl.readers.codec import TextCodec, utf8_text
from llama2_myhdl.readers.file_kind import LOOK, file_kind
from llama2_myhdl.readers.special_text import with_specials

BOS = 1
EOS = 2
BYTE_BASE = 3  # token of byte b is b + 3, after unknown, BOS and EOS
_BYTE_TOKEN = re.compile(rb"<0x([0-9A-Fa-f]{2})>")
_ENTRY = struct.Struct("<fi")
WHAT_IS_READ = "tokenizer.bin of llama2.c is read"
_NO_SCORE = -1e10  # run.c never merges into a token that scores lower


@dataclass(frozen=True)
class Tokenizer(TextCodec):
    """The vocabulary: `pieces[token]` in raw bytes, `scores[token]` for the greedy merges.

    prefix: a blank stands in front of every text; leads: BOS does; specials: tokens that only templates name.
    """

    pieces: tuple[bytes, ...]
    scores: tuple[float, ...]
    bos: int = BOS
    prefix: bool = True
    leads: bool = True
    specials: dict[str, int] = field(default_factory=dict)
    template: ChatTemplate | None = None

    @property
    def vocab_size(self) -> int:
        return len(self.pieces)

    @cached_property
    def _lookup(self) -> dict[bytes, int]:
        # the first of equal pieces wins
        return {piece: token for token, piece in reversed(list(enumerate(self.pieces)))}

    def encode(self, text: str | bytes, bos: bool = True, eos: bool = False) -> list[int]:
        """Token ids of a text. Raises ModelError for text that is not UTF-8 or has no tokens in this vocabulary."""
        tokens = self._text(utf8_text(text))
        return [self.bos] * (bos and (self.leads or not tokens)) + tokens + [EOS] * eos

    def encode_marked(self, text: str) -> list[int]:
        return with_specials(text, self.specials, self._text)

    def _text(self, text: str) -> list[int]:
        tokens = []
        for character in (" " * self.prefix + text) if text else "":  # run.c's dummy prefix
            tokens += self._character(character.encode())
        return self._merge(tokens)

    def _character(self, utf8: bytes) -> list[int]:
        if utf8 in self._lookup:
            return [self._lookup[utf8]]
        fallback = [byte + BYTE_BASE for byte in utf8]
        if max(fallback) >= self.vocab_size:
            raise ModelError(
                f"text: no token for byte 0x{max(utf8):02X}: byte tokens need a vocabulary of {max(fallback) + 1}, "
                f"this one has {self.vocab_size}"
            )
        return fallback

    def _merge(self, tokens: list[int]) -> list[int]:
        """Merge the pair with the best score, leftmost first among equals, until no pair is in the vocabulary."""
        tokens: list[int | None] = list(tokens)
        following = [*range(1, len(tokens)), None]
        previous = [None, *range(len(tokens) - 1)]
        heap = []

        def offer(left: int | None) -> None:
            right = None if left is None else following[left]
            if right is not None:
                pair = (tokens[left], tokens[right])
                merged = self._lookup.get(self.pieces[pair[0]] + self.pieces[pair[1]])
                if merged is not None and self.scores[merged] > _NO_SCORE:
                    heapq.heappush(heap, (-self.scores[merged], left, right, pair, merged))

        for i in range(len(tokens)):
            offer(i)
        while heap:
            _, left, right, pair, merged = heapq.heappop(heap)
            if following[left] != right or (tokens[left], tokens[right]) != pair:
                continue  # one of the two was merged away since
            tokens[left], tokens[right] = merged, None
            following[left] = following[right]
            if following[left] is not None:
                previous[following[left]] = left
            offer(previous[left])
            offer(left)
        return [token for token in tokens if token is not None]

    def decode(self, previous: int, token: int) -> bytes:
        """The bytes that `token` adds after `previous`; a character may be spread over several byte tokens."""
        if not 0 <= token < self.vocab_size:
            raise ModelError(f"token must be 0 to {self.vocab_size - 1}, is {token}")
        piece = self.pieces[token]
        if previous == self.bos and piece.startswith(b" "):
            piece = piece[1:]
        raw = _BYTE_TOKEN.fullmatch(piece)
        return bytes([int(raw[1], 16)]) if raw else piece


def read_tokenizer(path: str | os.PathLike, vocab_size: int) -> Tokenizer:
    """The tokenizer of a model with `vocab_size` tokens. Raises ModelError."""
    try:
        data = Path(path).read_bytes()
    except IsADirectoryError as error:
        raise ModelError(f"{path}: is a folder; {WHAT_IS_READ}") from error
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return _parse(data, vocab_size, str(path))
    except ModelError as error:
        if kind := file_kind(data[:LOOK], len(data)):
            raise ModelError(f"{path}: is {kind}; {WHAT_IS_READ}") from error
        raise


def _parse(data: bytes, vocab_size: int, path: str) -> Tokenizer:
    if len(data) < 4:
        raise ModelError(f"{path}: truncated: a tokenizer has at least 4 bytes, the file has {len(data)}")
    longest = int.from_bytes(data[:4], "little", signed=True)
    offset, pieces, scores = 4, [], []
    for token in range(vocab_size):
        entry = f"{path}: token {token} of {vocab_size}"
        if offset + _ENTRY.size > len(data):
            raise ModelError(
                f"{entry}: file ends at byte {len(data)}: truncated, or the tokenizer of another vocabulary"
            )
        score, length = _ENTRY.unpack_from(data, offset)
        offset += _ENTRY.size
        if not 0 <= length <= longest:
            raise ModelError(f"{entry}: length must be 0 to {longest}, is {length}")
        if not math.isfinite(score):
            raise ModelError(f"{entry}: score must be finite, is {score}")
        if offset + length > len(data):
            raise ModelError(f"{entry}: truncated: its text ends at byte {offset + length}, the file at {len(data)}")
        pieces.append(data[offset : offset + length])
        scores.append(score)
        offset += length
    if offset != len(data):
        raise ModelError(
            f"{path}: {len(data) - offset} bytes left after {vocab_size} tokens: the tokenizer of another vocabulary"
        )
    return Tokenizer(tuple(pieces), tuple(scores))


def write_tokenizer(pieces: Sequence[bytes], scores: Sequence[float], path: str | os.PathLike) -> None:
    """Write a tokenizer.bin, through a temporary name."""
    if len(pieces) != len(scores):
        raise ModelError(f"{path}: as many scores as pieces are needed, got {len(scores)} for {len(pieces)}")
    entries = (_ENTRY.pack(score, len(p)) + p for p, score in zip(pieces, scores, strict=True))
    write_whole(path, [struct.pack("<i", max(map(len, pieces), default=0)), *entries])
