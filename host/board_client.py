"""A decoder on a board to talk to: which build it is, load a model, tell a story, read counters."""

from collections import deque
from collections.abc import Callable, Iterator

from llama2_myhdl.host.link import Event, Link, Pace
from llama2_myhdl.host.serial_port import BoardError
from llama2_myhdl.spec.config import BuildConfig, ConfigError
from llama2_myhdl.spec.counters import COUNTERS
from llama2_myhdl.spec.errors import MEANING
from llama2_myhdl.spec.link import (
    BEGIN,
    BLOCK_BYTES,
    CLEAR,
    CYCLES,
    DESCRIBED,
    IMAGE,
    IMAGE_END,
    LIMITS,
    PROMPT,
    READ,
    TOKEN,
    packed,
)
from llama2_myhdl.spec.sequence import Beat
from llama2_myhdl.weights.tape import Tape

IMAGE_WINDOW = 64  # frames of an image on their way: the board takes them as fast as the line brings them
WINDOW = 8  # of others, which wait for each other in the board
READS = 4  # times that a value is asked for whose answer gets lost


def image_frames(tape: Tape) -> list[tuple[int, bytes]]:
    """Kind and body of each frame of an image."""
    image = tape.beats.tobytes()
    blocks = [image[at : at + BLOCK_BYTES] for at in range(0, len(image), BLOCK_BYTES)]
    return [(IMAGE, block) for block in blocks[:-1]] + [(IMAGE_END, blocks[-1])]


def prompt_frames(prompt: list[int], steps: int, score: bool = False) -> list[tuple[int, bytes]]:
    """Kind and body of each frame of a prompt, for the first slot."""
    last = len(prompt) - 1
    fields = dict(steps=steps, seq=0, score=int(score))
    return [(PROMPT, packed(PROMPT, token=token, last=int(k == last), **fields)) for k, token in enumerate(prompt)]


def _story(news: Callable[[], Event]) -> Iterator[Beat]:
    """The beats of a sequence from its first position to its last, out of the frames of a board."""
    pos, ended = 0, False
    while not ended:
        event = news()
        if not event.kind:
            raise BoardError("bad CRC: a frame of the board is damaged")
        if event.kind != TOKEN:
            continue
        fields = event.fields
        if fields["pos"] != pos:
            raise BoardError(f"bad CRC: the token of position {pos} is lost, position {fields['pos']} came")
        pos, ended = pos + 1, bool(fields["last"])
        yield Beat(fields["token"], fields["pos"], bool(fields["scored"]), bool(fields["sampled"]), fields["stop"])


def overheard(port, seconds: float) -> Iterator[Beat]:
    """The beats of the next story that a board tells by itself; of one that has begun, nothing."""
    link = Link(port)
    waiting = deque()

    def news() -> Event:
        event = waiting.popleft() if waiting else link.event(seconds)
        if event is None:
            raise BoardError(f"no answer: no token came in {seconds:g} s")
        return event

    while True:
        event = news()
        if event.kind == TOKEN and event.fields["pos"] == 0:
            waiting.append(event)
            yield from _story(news)
            return


class Board:
    """A board at a port; `build` is the configuration that it has, `digest` tells it from others of that one."""

    def __init__(self, port, pace: Pace | None = None):
        self._pace = pace or Pace()
        self._link = Link(port, self._pace)
        greeting = self._link.hello()
        self.digest = greeting["digest"]
        if greeting["values"] != len(DESCRIBED):
            raise BoardError(f"wrong version: a build has {len(DESCRIBED)} numbers, the board's {greeting['values']}")
        numbers = self.read([(LIMITS + k, 0) for k in range(len(DESCRIBED))])
        try:
            self.build = BuildConfig(**dict(zip(DESCRIBED, numbers)))
        except ConfigError as error:
            raise BoardError(f"wrong version: the board's build is none: {error}") from error

    @property
    def resent(self) -> int:
        """How often frames were sent again."""
        return self._link.resent

    def read(self, codes: list[tuple[int, int]]) -> list[int]:
        """Values by their codes (select, station), see `spec/link.py`."""
        found = {}
        for _ in range(READS):
            missing = [code for code in dict.fromkeys(codes) if code not in found]
            requests = [(READ, packed(READ, select=select, station=station)) for select, station in missing]
            answers = self._link.perform(requests, WINDOW)
            found |= {code: answer.fields["value"] for code, answer in zip(missing, answers) if _says(answer, code)}
            if len(found) == len(set(codes)):
                return [found[code] for code in codes]
        raise BoardError("bad CRC: a value does not come through")

    def load(self, tape: Tape, told: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Boot the decoder with an image; told: how many of its bytes are there, and of how many.

        BoardError names the reason when the decoder refuses it.
        """
        size = tape.beats.size
        self._link.perform([(BEGIN, packed(BEGIN))], 1)
        self._link.perform(image_frames(tape), IMAGE_WINDOW, lambda done: told(min(done * BLOCK_BYTES, size), size))
        greeting = self._link.hello()
        if greeting["error"]:
            raise BoardError(f"the decoder refuses the image: {MEANING[greeting['error']]}")
        if not greeting["loaded"]:
            raise BoardError("the decoder does not say that the image is loaded")

    def tell(self, prompt: list[int], steps: int = 0, score: bool = False) -> Iterator[Beat]:
        """Hand a prompt over; the beats of its sequence, one a position. BoardError when one gets lost."""
        self._link.news.clear()
        self._link.perform(prompt_frames(prompt, steps, score), WINDOW)
        yield from _story(self._news)

    def _news(self) -> Event:
        """The next frame that comes without being asked for."""
        event = self._link.news.popleft() if self._link.news else self._link.event(self._pace.seconds)
        if event is None:
            raise BoardError(f"no answer: no token came in {self._pace.seconds:g} s")
        return event

    def clear(self) -> None:
        """Clear the error code of a bad prompt."""
        self._link.perform([(CLEAR, packed(CLEAR))], 1)

    def cycles(self) -> int:
        """Since the image was loaded."""
        return self.read([(CYCLES, 0)])[0]

    def counters(self, station: int = 0) -> dict[str, int]:
        """The counters of a station by name."""
        return dict(zip(COUNTERS, self.read([(select, station) for select in range(len(COUNTERS))])))


def _says(answer: Event | None, code: tuple[int, int]) -> bool:
    """Whether it is the value of that code."""
    return answer is not None and (answer.fields.get("select"), answer.fields.get("station")) == code
