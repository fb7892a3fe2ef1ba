"""A sequence as the host sees it: what is asked for, and what the token stream answers."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.spec.sampling import Registers, Sampling
from llama2_myhdl.spec.stops import GOES_ON, MORE_STOPS, STOP_TOKEN


@dataclass(frozen=True)
class Request:
    """prompt: at least one token; steps: positions at most, 0 for the whole context; score: predictions of the prompt's
    positions are wanted too, not only that of its last one.

    sampling: how tokens are chosen; stops: up to four stop tokens of its own, besides those of every sequence;
    new_tokens: tokens that are sampled at most, the last one too if it is a stop token, 0 for no limit of this kind;
    logprobs: log-probabilities are wanted.
    """

    prompt: tuple[int, ...]
    steps: int = 0
    score: bool = True
    sampling: Sampling = Sampling()
    stops: tuple[int, ...] = ()
    new_tokens: int = 0
    logprobs: bool = False

    def __post_init__(self):
        if len(self.stops) > MORE_STOPS:
            raise ModelError(f"stops must be at most {MORE_STOPS} tokens, are {len(self.stops)}")


@dataclass(frozen=True)
class Beat:
    """What the token stream says at a position.

    token: the sampled next one, or at a prompt's position before its last the most likely one, if `scored`, else 0; of
    a token out of range that token itself. sampled: it is the next input, unless the sequence stops. stop: why it ends
    here (`spec/stops.py`), else GOES_ON. logprob: natural logarithm (F) of the probability of the sampled token, or at
    a prompt's position before its last of the prompt's next token, in the softmax of the whole vocabulary at the
    sequence's temperature (1 if it is greedy); 0 where it is not asked for or not scored, or for a prompt's token out
    of range.
    """

    token: int
    pos: int
    scored: bool
    sampled: bool
    stop: int
    logprob: int = 0

    @property
    def last(self) -> bool:
        return self.stop != GOES_ON


def prompt_beats(request: Request, seq: int = 0, drawing: bool = True) -> Iterator[dict[str, int]]:
    """What the prompt port gets for a request, a beat a token; drawing: the build has a sampler."""
    registers = request.sampling.registers()
    wishes = {field.name: getattr(registers, field.name) for field in fields(Registers)}
    wishes |= dict(logprobs=int(request.logprobs), stops=len(request.stops), new_tokens=request.new_tokens)
    wishes |= {f"stop_{k}": token for k, token in enumerate((*request.stops, *MORE_STOPS * (0,))[:MORE_STOPS])}
    for token, target in zip(request.prompt, (*request.prompt[1:], None)):
        beat = dict(token=token, seq=seq, steps=request.steps, score=int(request.score), last=int(target is None))
        yield beat | dict(target=target or 0, **wishes) if drawing else beat


def following(prompt: tuple[int, ...], beat: Beat) -> int | None:
    """The token behind a beat: of the prompt or sampled; None where there is none or it is a stop token.

    A story that ends for another reason still has the token that its last beat sampled.
    """
    if not beat.sampled:
        return None if beat.last else prompt[beat.pos + 1]
    return None if beat.stop == STOP_TOKEN else beat.token
