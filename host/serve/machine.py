"""Sequences through a decoder's slots, in a thread of its own; those that find no slot wait in line.

The hardware ends a sequence by itself and cannot be told to. One that is given up keeps its slot and runs on beside the
others, to its end; as soon as nobody wants any that is running, a restart frees all slots. While nobody wants anything
the decoder stands still.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from llama2_myhdl.host.serve.decoders import FAULTS, Decoder
from llama2_myhdl.spec.sequence import Beat, Request

PATIENCE = 5.0  # seconds that `stop` waits for the beat that is under way


class Full(Exception):
    """The line is full."""


class Broken(Exception):
    """The decoder has failed, or is stopped."""


@dataclass(eq=False)
class Ticket:
    """A sequence that was asked for. told: called in the machine's thread with each of its beats, or with Broken."""

    request: Request
    told: Callable[[Beat | Broken], None]
    given_up: bool = False


class Machine:
    """decoder: with nothing running in it; queue: sequences that may wait for a slot."""

    def __init__(self, decoder: Decoder, queue: int):
        self.decoder, self._queue = decoder, queue
        self.most = decoder.slots + queue  # sequences that can be asked for at once
        self._waiting: deque[Ticket] = deque()
        self._running: dict[int, Ticket] = {}  # by slot
        self._changed = threading.Condition()
        self._fault: str | None = None
        self._thread = threading.Thread(target=self._run, name="machine", daemon=True)
        self._thread.start()

    def submit(self, tickets: list[Ticket]) -> None:
        """All of them, or none: Full, Broken."""
        with self._changed:
            if self._fault:
                raise Broken(self._fault)
            free = self.decoder.slots - sum(not ticket.given_up for ticket in self._running.values())
            if len(self._waiting) + len(tickets) > free + self._queue:
                raise Full(f"{len(self._waiting)} sequences wait already, {self._queue} may")
            self._waiting.extend(tickets)
            self._changed.notify()

    def give_up(self, tickets: list[Ticket]) -> None:
        """They are told no more; those that have ended are left alone."""
        with self._changed:
            for ticket in tickets:
                ticket.given_up = True
            self._waiting = deque(ticket for ticket in self._waiting if not ticket.given_up)

    @property
    def load(self) -> tuple[int, int]:
        """How many sequences run that somebody wants, and how many wait."""
        with self._changed:
            return len(self._wanted()), len(self._waiting)

    def stop(self) -> None:
        """End the decoder, if it can be waited for, and whatever runs in it."""
        with self._changed:
            self._fault = self._fault or "the endpoint is stopped"
            self._changed.notify()
        self._thread.join(PATIENCE)
        if not self._thread.is_alive():
            self.decoder.close()

    def _wanted(self) -> list[Ticket]:
        return [ticket for ticket in self._running.values() if not ticket.given_up]

    def _run(self) -> None:
        try:
            while self._prepare():
                for slot, beat in self.decoder.advance() if self._running else ():
                    self._tell(slot, beat)
        except FAULTS as error:
            with self._changed:
                self._fault = f"the decoder has failed: {error}"
        with self._changed:
            left = [*self._wanted(), *self._waiting]
            self._running.clear(), self._waiting.clear()
        for ticket in left:
            ticket.told(Broken(self._fault))

    def _prepare(self) -> bool:
        """Wait for work and fill the slots with it; False: the machine is to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._fault or self._waiting or self._wanted())
            if self._fault:
                return False
            stale = bool(self._running) and not self._wanted()
            if stale:
                self._running.clear()
        if stale:  # not under the lock: who asks for something does not wait for the decoder
            self.decoder.restart()
        with self._changed:
            slots = [slot for slot in range(self.decoder.slots) if slot not in self._running]
            fresh = {slot: self._waiting.popleft() for slot, _ in zip(slots, list(self._waiting))}
            self._running |= fresh
        for slot, ticket in fresh.items():
            self.decoder.start(slot, ticket.request)
        return True

    def _tell(self, slot: int, beat: Beat) -> None:
        with self._changed:
            ticket = self._running.pop(slot) if beat.last else self._running[slot]
        if not ticket.given_up:
            ticket.told(beat)
