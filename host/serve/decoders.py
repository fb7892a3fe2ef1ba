"""A decoder with slots, as the endpoint uses it: simulated, or on a board."""

from collections import deque
from collections.abc import Iterator
from typing import Protocol

from llama2_myhdl.host.board_client import Board
from llama2_myhdl.host.serial_port import BoardError
from llama2_myhdl.sim.jobs import beat_of
from llama2_myhdl.sim.session import Session
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.errors import MEANING
from llama2_myhdl.spec.sequence import Beat, Request
from llama2_myhdl.weights.tape import Tape

FAULTS = (SimulationError, BoardError, OSError)  # after one of them a decoder is good for nothing


class Decoder(Protocol):
    """slots: sequences side by side; entries: of the sampler's list, 0: greedy only."""

    slots: int
    entries: int

    def restart(self) -> None:
        """Leave the sequences that are running; all slots are free."""

    def start(self, slot: int, request: Request) -> None:
        """Begin a sequence in a free slot; with score = False."""

    def advance(self) -> list[tuple[int, Beat]]:
        """Run until there are beats: of which slots, and which; only while a sequence is running."""

    def close(self) -> None:
        """End it."""


class Simulated:
    """A session, and what it is booted with: image and memories, as for `Session.boot`."""

    def __init__(self, session: Session, image: tuple[Tape, list[bytes]] | tuple[Tape]):
        self._session, self._image = session, image
        self.slots, self.entries = session.build.sequences, session.build.list_entries
        self.restart()

    def restart(self) -> None:
        """A boot takes no longer than a token: both read the tape once."""
        if error := self._session.boot(*self._image):
            raise SimulationError(f"the hardware refused the model: {MEANING[error]}")

    def start(self, slot: int, request: Request) -> None:
        wishes = dict(sampling=request.sampling, stops=request.stops, logprobs=request.logprobs)
        self._session.generate(list(request.prompt), request.steps, slot, request.score, **wishes)

    def advance(self) -> list[tuple[int, Beat]]:
        return [(beat["seq"], beat_of(beat)) for beat in self._session.advance()]

    def close(self) -> None:
        self._session.close()


class OnBoard:
    """A board with its model loaded. Its link carries prompts of one slot, and no sampler's settings."""

    slots, entries = 1, 0

    def __init__(self, board: Board):
        self._board, self._beats = board, iter(())

    def restart(self) -> None:
        """What a board has begun it tells to the end."""
        deque(self._beats, maxlen=0)

    def start(self, slot: int, request: Request) -> None:
        self._beats: Iterator[Beat] = self._board.tell(list(request.prompt), request.steps, request.score)

    def advance(self) -> list[tuple[int, Beat]]:
        return [(0, next(self._beats))]

    def close(self) -> None:
        """Its port is closed by who has opened it."""
