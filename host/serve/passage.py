"""A sequence's beats as text, up to a text that ends it."""

from dataclasses import dataclass

from llama2_myhdl.readers.codec import StreamDecoder, TextCodec
from llama2_myhdl.spec.formats import F_FRAC
from llama2_myhdl.spec.sequence import Beat, Request, following
from llama2_myhdl.spec.stops import STOP_TOKEN

STOP, LENGTH = "stop", "length"


@dataclass(frozen=True)
class Said:
    """A token of a passage. text: the characters that it completes; offset: characters of the passage before them;
    logprob: natural logarithm of its probability, 0 where that is not asked for."""

    text: str
    offset: int
    logprob: float


class Passage:
    """What a sequence adds to its prompt. stops: texts that end it and are no part of it, none of them empty.

    ended: None, STOP after a stop token or text, LENGTH where no more was asked for or the context is full; tokens:
    sampled ones, one that ends it included.
    """

    def __init__(self, tokenizer: TextCodec, request: Request, stops: tuple[str, ...] = ()):
        self.ended: str | None = None
        self.tokens = 0
        self._prompt, self._stops, self._held = request.prompt, stops, ""
        self._released, self._waiting = 0, []  # characters; tokens that have not been taken
        self._decoder = StreamDecoder(tokenizer)
        for token in request.prompt:  # a piece may depend on the one before it
            self._decoder.feed(token)

    def feed(self, beat: Beat) -> str:
        """The text that is certain after a beat: what may begin a stop text is held back."""
        if not beat.sampled:
            return ""
        self.tokens += 1
        if (token := following(self._prompt, beat)) is not None:
            piece = self._decoder.feed(token)
            self._waiting.append(Said(piece, self._released + len(self._held), beat.logprob / 2**F_FRAC))
            self._held += piece
        if beat.last:
            self._held += self._decoder.finish()
        if found := [at for stop in self._stops if (at := self._held.find(stop)) >= 0]:
            self.ended = STOP
            return self._release(min(found))
        if beat.last:
            self.ended = STOP if beat.stop == STOP_TOKEN else LENGTH
            return self._release(len(self._held))
        return self._release(len(self._held) - max((self._begun(stop) for stop in self._stops), default=0))

    def take(self) -> list[Said]:
        """The tokens whose text has been given and which have not been taken yet; at the end those without text, too,
        unless a stop text has cut them off."""
        whole = self.ended and not self._held
        count = sum(whole or said.offset < self._released for said in self._waiting)
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def _begun(self, stop: str) -> int:
        """How many characters at the end of the held text begin a stop text."""
        longest = min(len(stop) - 1, len(self._held))
        return next((n for n in range(longest, 0, -1) if self._held.endswith(stop[:n])), 0)

    def _release(self, count: int) -> str:
        text, self._held = self._held[:count], self._held[count:]
        self._released += count
        return text
