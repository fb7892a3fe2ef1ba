"""The host's side of the serial link: frames with numbers, sent ahead of their answers, again where one is lost."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llama2_myhdl.host.framing import Deframer, framed
from llama2_myhdl.host.serial_port import BoardError
from llama2_myhdl.spec.link import (
    ANSWER,
    DAMAGED,
    DONE,
    END,
    GREETING,
    HEAD_BYTES,
    HELLO,
    NUMBER_BITS,
    REASONS,
    RESEND,
    STATUS,
    TOKEN,
    VERSION,
    packed,
    unpacked,
)

NUMBERS = 1 << NUMBER_BITS
RETRIES = 8  # without a frame that gets through between them
GREETINGS = 3


@dataclass(frozen=True)
class Event:
    """A frame of the board; kind 0: a damaged one."""

    kind: int
    number: int = 0
    fields: dict | None = None


@dataclass(frozen=True)
class Pace:
    """seconds: to wait for an answer; quiet: without a word, then nothing more is on its way."""

    seconds: float = 2.0
    quiet: float = 0.1


class Link:
    """port: a `serial_port.Port`, or what has its `receive`, `send` and `forget`."""

    def __init__(self, port, pace: Pace | None = None):
        self._port, self._pace = port, pace or Pace()
        self._deframer, self._events = Deframer(), deque()
        self._number = 0  # of the next frame
        self._heard = 0  # bytes since the last greeting was asked for
        self.news: deque[Event] = deque()  # tokens and states that came while an answer was waited for
        self.resent = 0  # times that frames were sent again

    def event(self, seconds: float) -> Event | None:
        """The next frame of the board; None when none comes for so long."""
        end = time.monotonic() + seconds
        while not self._events:
            data = self._port.receive()
            self._heard += len(data)
            self._events.extend(map(_event, self._deframer.feed(data)))
            if not data and time.monotonic() > end:
                return None
        return self._events.popleft()

    def _send(self, kind: int, number: int, body: bytes) -> None:
        self._port.send(framed(bytes([kind, number % NUMBERS]) + body))

    def hello(self) -> dict:
        """Find the board, whatever the line was in the midst of: the fields of its greeting."""
        heard = 0
        for _ in range(GREETINGS):
            self._port.forget()
            self._deframer, self._heard = Deframer(), 0
            self._events.clear()
            self.news.clear()
            self._port.send(bytes([END]))  # ends what is left of a frame
            self._send(HELLO, self._number, packed(HELLO))
            self._number = (self._number + 1) % NUMBERS
            while (event := self.event(self._pace.seconds)) is not None:
                if event.kind == GREETING and event.number == self._number:
                    return _checked(event.fields)
            heard += self._heard
        if heard:
            raise BoardError(f"bad CRC: {heard} bytes came, and no greeting among them; is the rate the board's?")
        raise BoardError(f"no answer: nothing came in {GREETINGS * self._pace.seconds:g} s")

    def perform(
        self, requests: Sequence[tuple[int, bytes]], window: int, told: Callable[[int], None] = lambda done: None
    ) -> list[Event | None]:
        """Have the board carry out frames (kind, body) in their order; their answers, None for one that got lost.

        window: frames sent ahead of their answers; told: of how many are done. BoardError when one is refused, or does
        not get through.
        """
        return _Run(self, requests, window, told).finish()


class _Run:
    """Frames on their way: `sent` of them, `done` of these carried out."""

    def __init__(self, link: Link, requests, window: int, told):
        self._link, self._requests, self._window, self._told = link, requests, window, told
        self._first, self._sent, self._done = link._number, 0, 0
        self._answers: list[Event | None] = [None] * len(requests)
        self._failures = 0

    def finish(self) -> list[Event | None]:
        link, total = self._link, len(self._requests)
        while self._done < total:
            while self._sent < min(total, self._done + self._window):
                kind, body = self._requests[self._sent]
                link._send(kind, self._first + self._sent, body)
                self._sent += 1
            event = link.event(link._pace.seconds)
            if event is None:
                self._fail(f"no answer: nothing came in {link._pace.seconds:g} s")
            elif self._take(event):
                # what else is on its way is out of turn now: hear all of it, then begin anew
                self._fail(f"bad CRC: {REASONS[DAMAGED]}, {RETRIES} times in a row")
                while (event := link.event(link._pace.quiet)) is not None:
                    self._take(event)
            else:
                continue
            self._sent = self._done
            link.resent += 1
        link._number = (self._first + total) % NUMBERS
        return self._answers

    def _fail(self, words: str) -> None:
        self._failures += 1
        if self._failures > RETRIES:
            raise BoardError(words)

    def _take(self, event: Event) -> bool:
        """What a frame of the board means; whether frames are to be sent again."""
        if event.kind in (TOKEN, STATUS):
            self._link.news.append(event)
            return False
        ahead = (event.number - self._first - self._done) % NUMBERS
        if not event.kind or ahead > self._sent - self._done:
            return False  # damaged, or of another time: the answers behind it stand for it too
        if ahead:
            self._done += ahead
            self._failures = 0
            self._answers[self._done - 1] = event
            self._told(self._done)
        reason = event.fields["reason"] if event.kind == ANSWER else DONE
        if reason not in (DONE, *RESEND):
            raise BoardError(f"the board refuses: {REASONS[reason]}")
        return reason in RESEND


def _event(content: bytes | None) -> Event:
    if content is None:
        return Event(0)
    kind, number = content[:HEAD_BYTES]
    return Event(kind, number, unpacked(kind, content[HEAD_BYTES:]))


def _checked(greeting: dict) -> dict:
    if greeting["version"] != VERSION:
        raise BoardError(f"wrong version: must be {VERSION}, the board's link has {greeting['version']}")
    return greeting
