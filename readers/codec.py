"""What every tokenizer is to the commands: text to tokens, tokens to bytes, a conversation to tokens."""

import codecs
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.chat import ChatTemplate


class TextCodec(ABC):
    """bos: the token that begins a text; template: of the model's conversations, None where it has none."""

    bos: int
    template: ChatTemplate | None = None

    @property
    @abstractmethod
    def vocab_size(self) -> int:
        """All tokens are below it."""

    @abstractmethod
    def encode(self, text: str | bytes, bos: bool = True) -> list[int]:
        """Token ids of a text; bos: behind what the model's texts begin with, so that there is at least one.

        Raises ModelError for text that is not UTF-8 or has no tokens in this vocabulary.
        """

    @abstractmethod
    def decode(self, previous: int, token: int) -> bytes:
        """The bytes that `token` adds after `previous`; a character may be spread over several tokens."""

    @abstractmethod
    def encode_marked(self, text: str) -> list[int]:
        """Token ids of a text in which names of special tokens mean these, as templates write them."""

    def decode_all(self, tokens: Iterable[int]) -> str:
        """The text of a whole token sequence; BOS is not printed, bytes that are not UTF-8 become U+FFFD."""
        decoder = StreamDecoder(self)
        return "".join(decoder.feed(token) for token in tokens) + decoder.finish()

    def chat(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """Token ids of a conversation (role, content), up to where the model has its say. Raises ModelError."""
        if self.template is None:
            raise ModelError("chat: the model has no chat template")
        return self.encode_marked(utf8_text(self.template.render(messages)))


class StreamDecoder:
    """Text from tokens as they come: bytes are held back until their UTF-8 character is complete."""

    def __init__(self, codec: TextCodec):
        self._codec = codec
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._previous = 0

    def feed(self, token: int) -> str:
        """The characters that `token` completes; none for BOS."""
        piece = b"" if token == self._codec.bos else self._codec.decode(self._previous, token)
        self._previous = token
        return self._utf8.decode(piece)

    def finish(self) -> str:
        """U+FFFD if the last character never became complete."""
        return self._utf8.decode(b"", final=True)


def utf8_text(text: str | bytes) -> str:
    """The text; ModelError where it is not UTF-8, also for a half of a surrogate pair."""
    try:
        if isinstance(text, bytes):
            return text.decode("utf-8")
        text.encode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(f"text is not UTF-8: byte 0x{text[error.start]:02X} at position {error.start}") from error
    except UnicodeEncodeError as error:
        raise ModelError(f"text is not UTF-8: code point U+{ord(text[error.start]):04X} at {error.start}") from error
    return text
