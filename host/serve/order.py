"""One request's sequences, as its handler sees them: their texts as they come."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from llama2_myhdl.host.serve.asks import Ask
from llama2_myhdl.host.serve.machine import Broken, Full, Machine, Ticket
from llama2_myhdl.host.serve.passage import Passage, Said
from llama2_myhdl.host.serve.refusal import Refusal
from llama2_myhdl.readers.codec import TextCodec


class Order:
    """Asks the machine for a request's sequences; for one event loop. seconds: for all of it. Raises Refusal when the
    machine takes no more."""

    def __init__(self, machine: Machine, tokenizer: TextCodec, ask: Ask, seconds: float):
        self._machine, self._seconds = machine, seconds
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + seconds
        self._news: asyncio.Queue = asyncio.Queue()  # at most a beat a position
        self.passages = [Passage(tokenizer, request, ask.stops) for request in ask.requests]
        self._tickets = [Ticket(request, self._telling(k)) for k, request in enumerate(ask.requests)]
        try:
            machine.submit(self._tickets)
        except Full as error:
            raise Refusal(429, f"the queue is full: {error}", code="queue_full") from error
        except Broken as error:
            raise Refusal(503, str(error), code="unavailable") from error

    def _telling(self, index: int):
        def told(news):
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                self._loop.call_soon_threadsafe(self._news.put_nowait, (index, news))

        return told

    async def pieces(self) -> AsyncIterator[tuple[int, str, str | None, list[Said]]]:
        """Choice, text, the reason of its end, None before it, and the text's tokens, until all have ended. Raises
        Refusal."""
        left = set(range(len(self.passages)))
        while left:
            try:
                async with asyncio.timeout_at(self._until):
                    index, news = await self._news.get()
            except TimeoutError as error:
                raise Refusal(504, f"the answer takes longer than {self._seconds:g} s", code="timeout") from error
            if isinstance(news, Broken):
                raise Refusal(503, str(news), code="unavailable")
            if index not in left:
                continue
            passage = self.passages[index]
            text = passage.feed(news)
            if passage.ended:
                left.remove(index)
                self._machine.give_up([self._tickets[index]])  # the hardware knows no stop texts
            if text or passage.ended:
                yield index, text, passage.ended, passage.take()

    @property
    def sampled(self) -> int:
        """Tokens so far, of all choices."""
        return sum(passage.tokens for passage in self.passages)

    def give_up(self) -> None:
        """What of it still runs or waits is not wanted."""
        self._machine.give_up(self._tickets)
