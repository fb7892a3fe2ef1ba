"""The decode loop: a sequence's prompt first, then its own tokens, until something ends it. One sequence, alone."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from llama2_myhdl.spec.sequence import Beat, Request
from llama2_myhdl.spec.stops import GOES_ON, STOP_CONTEXT, STOP_ERROR, STOP_IDS, STOP_STEPS, STOP_TOKEN


def greedy(logits: np.ndarray) -> int:
    """The first of the largest logits."""
    return int(np.argmax(logits))


def decode(
    request: Request,
    vocab_size: int,
    seq_len: int,
    forward: Callable[[int, int, bool], np.ndarray | None],
    choose: Callable[[np.ndarray], int] = greedy,
    stops: Iterable[int] = STOP_IDS,
) -> Iterator[Beat]:
    """The beats of one sequence, the last one with its reason.

    forward(token, position, scored): logits of that input, asked for in order; what it returns is looked at only where
    `scored`. A token out of range passes as token 0, unscored, so that its error comes in its turn.
    """
    prompt, token = request.prompt, request.prompt[0]
    for pos in range(seq_len):
        prompted = pos + 1 < len(prompt)
        if token >= vocab_size:
            forward(0, pos, False)
            yield Beat(token, pos, scored=False, sampled=False, stop=STOP_ERROR)
            return
        scored = request.score or not prompted
        logits = forward(token, pos, scored)
        best = choose(logits) if scored else 0
        if not prompted and best in stops:
            stop = STOP_TOKEN
        elif pos + 1 == request.steps:
            stop = STOP_STEPS
        elif pos + 1 == seq_len:
            stop = STOP_ERROR if prompted else STOP_CONTEXT
        else:
            stop = GOES_ON
        yield Beat(best, pos, scored, not prompted, stop)
        if stop != GOES_ON:
            return
        token = prompt[pos + 1] if prompted else best
