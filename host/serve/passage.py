"""A sequence's beats as text, up to a text that ends it."""

from llama2_myhdl.readers.codec import StreamDecoder, TextCodec
from llama2_myhdl.spec.sequence import Beat, Request, following
from llama2_myhdl.spec.stops import STOP_TOKEN

STOP, LENGTH = "stop", "length"


class Passage:
    """What a sequence adds to its prompt. stops: texts that end it and are no part of it, none of them empty.

    ended: None, STOP after a stop token or text, LENGTH where no more was asked for or the context is full; tokens:
    sampled ones, one that ends it included.
    """

    def __init__(self, tokenizer: TextCodec, request: Request, stops: tuple[str, ...] = ()):
        self.ended: str | None = None
        self.tokens = 0
        self._prompt, self._stops, self._held = request.prompt, stops, ""
        self._decoder = StreamDecoder(tokenizer)
        for token in request.prompt:  # a piece may depend on the one before it
            self._decoder.feed(token)

    def feed(self, beat: Beat) -> str:
        """The text that is certain after a beat: what may begin a stop text is held back."""
        if not beat.sampled:
            return ""
        self.tokens += 1
        token = following(self._prompt, beat)
        self._held += self._decoder.feed(token) if token is not None else ""
        if beat.last:
            self._held += self._decoder.finish()
        if found := [at for stop in self._stops if (at := self._held.find(stop)) >= 0]:
            self.ended = STOP
            return self._release(min(found))
        if beat.last:
            self.ended = STOP if beat.stop == STOP_TOKEN else LENGTH
            return self._release(len(self._held))
        return self._release(len(self._held) - max((self._begun(stop) for stop in self._stops), default=0))

    def _begun(self, stop: str) -> int:
        """How many characters at the end of the held text begin a stop text."""
        longest = min(len(stop) - 1, len(self._held))
        return next((n for n in range(longest, 0, -1) if self._held.endswith(stop[:n])), 0)

    def _release(self, count: int) -> str:
        text, self._held = self._held[:count], self._held[count:]
        return text
