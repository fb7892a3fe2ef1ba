"""The decode loop: a sequence's prompt first, then its own tokens, until something ends it. One sequence, alone."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from llama2_myhdl.golden.fixed.sampler import Draw, Sampler
from llama2_myhdl.spec.sequence import Beat, Request
from llama2_myhdl.spec.stops import GOES_ON, STOP_CONTEXT, STOP_ERROR, STOP_IDS, STOP_STEPS, STOP_TOKEN

# logits, position, and the token that the prompt has next, None behind it: as `Sampler.__call__`
Choose = Callable[[np.ndarray, int, int | None], Draw]


def decode(
    request: Request,
    vocab_size: int,
    seq_len: int,
    forward: Callable[[int, int, bool], np.ndarray | None],
    choose: Choose | None = None,
    stops: Iterable[int] = STOP_IDS,
) -> Iterator[Beat]:
    """The beats of one sequence, the last one with its reason.

    forward(token, position, scored): logits of that input, asked for in order; what it returns is looked at only where
    `scored`. choose: what chooses tokens; by default a sampler with the request's settings, greedy unless it has some.
    stops: stop tokens of every sequence. A token out of range passes as token 0, unscored, so that its error comes in
    its turn.
    """
    if choose is None:
        choose = Sampler(request.sampling.registers(), request.logprobs)
    prompt, token, stops = request.prompt, request.prompt[0], (*stops, *request.stops)
    for pos in range(seq_len):
        prompted = pos + 1 < len(prompt)
        if token >= vocab_size:
            forward(0, pos, False)
            yield Beat(token, pos, scored=False, sampled=False, stop=STOP_ERROR)
            return
        scored = request.score or not prompted
        logits = forward(token, pos, scored)
        best = choose(logits, pos, prompt[pos + 1] if prompted else None) if scored else Draw(0)
        if not prompted and best.token in stops:
            stop = STOP_TOKEN
        elif pos + 1 == request.steps or not prompted and pos + 2 - len(prompt) == request.new_tokens:
            stop = STOP_STEPS
        elif pos + 1 == seq_len:
            stop = STOP_ERROR if prompted else STOP_CONTEXT
        else:
            stop = GOES_ON
        yield Beat(best.token, pos, scored, not prompted, stop, best.logprob if request.logprobs else 0)
        if stop != GOES_ON:
            return
        token = prompt[pos + 1] if prompted else best.token
