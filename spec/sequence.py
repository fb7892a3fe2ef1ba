"""A sequence as the host sees it: what is asked for, and what the token stream answers."""

from dataclasses import dataclass

from llama2_myhdl.spec.stops import GOES_ON, STOP_TOKEN


@dataclass(frozen=True)
class Request:
    """prompt: at least one token; steps: positions at most, 0 for the whole context; score: predictions of the prompt's
    positions are wanted too, not only that of its last one."""

    prompt: tuple[int, ...]
    steps: int = 0
    score: bool = True


@dataclass(frozen=True)
class Beat:
    """What the token stream says at a position.

    token: the most likely next one if `scored`, else 0; of a token out of range that token itself. sampled: it is the
    next input, unless the sequence stops. stop: why it ends here (`spec/stops.py`), else GOES_ON.
    """

    token: int
    pos: int
    scored: bool
    sampled: bool
    stop: int

    @property
    def last(self) -> bool:
        return self.stop != GOES_ON


def following(prompt: tuple[int, ...], beat: Beat) -> int | None:
    """The token behind a beat: of the prompt or sampled; None where there is none or it is a stop token.

    A story that ends for another reason still has the token that its last beat sampled.
    """
    if not beat.sampled:
        return None if beat.last else prompt[beat.pos + 1]
    return None if beat.stop == STOP_TOKEN else beat.token
