"""SentencePiece's tokenizer.model, through its own library."""

from pathlib import Path

from sentencepiece import SentencePieceProcessor

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.codec import TextCodec, utf8_text
from llama2_myhdl.readers.special_text import with_specials

_BLANK = "\u2581"  # in pieces, for a blank


class SentencePieceCodec(TextCodec):
    """leads: texts begin with BOS."""

    def __init__(self, data: bytes, name: str, bos: int, leads: bool = True):
        """data: the file's content. Raises ModelError."""
        self._processor = SentencePieceProcessor()
        try:
            if not data:  # the library would take that for no model yet
                raise ValueError("the file is empty")
            self._processor.LoadFromSerializedProto(data)
            self._pieces = [self._bytes(token) for token in range(self._processor.get_piece_size())]
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{name}: is no SentencePiece model: {' '.join(str(error).split())}") from error
        self.bos, self._leads = bos, leads
        control = [token for token in range(len(self._pieces)) if self._processor.is_control(token)]
        self._specials = {self._processor.id_to_piece(token): token for token in control}

    def _bytes(self, token: int) -> bytes:
        processor, piece = self._processor, self._processor.id_to_piece(token)
        if processor.is_control(token) or processor.is_unused(token):
            return b""
        if processor.is_unknown(token):
            return processor.decode([token]).encode()
        return bytes([int(piece[3:5], 16)]) if processor.is_byte(token) else piece.replace(_BLANK, " ").encode()

    @property
    def vocab_size(self) -> int:
        return len(self._pieces)

    def encode(self, text: str | bytes, bos: bool = True) -> list[int]:
        tokens = self._processor.encode(utf8_text(text))
        return [self.bos, *tokens] if bos and (self._leads or not tokens) else tokens

    def encode_marked(self, text: str) -> list[int]:
        return with_specials(text, self._specials, self._processor.encode)

    def decode(self, previous: int, token: int) -> bytes:
        if not 0 <= token < self.vocab_size:
            return b""  # of a model with more rows than there are pieces
        piece = self._pieces[token]
        return piece[1:] if previous == self.bos and piece.startswith(b" ") else piece


def read_sentencepiece(path: Path, bos: int, leads: bool = True) -> SentencePieceCodec:
    """The codec of a file. Raises ModelError."""
    try:
        return SentencePieceCodec(path.read_bytes(), str(path), bos, leads)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
