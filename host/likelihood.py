"""Mean log-probability and perplexity of tokens."""

import numpy as np

from llama2_myhdl.spec.formats import to_float


def likelihood(logprobs) -> dict:
    """mean_logprob and perplexity of tokens with these natural logarithms of their probabilities; None of no token."""
    if not len(logprobs):
        return dict(mean_logprob=None, perplexity=None)
    mean = float(np.mean(logprobs))
    with np.errstate(over="ignore"):  # of a hopeless model it is infinite
        return dict(mean_logprob=mean, perplexity=float(np.exp(-mean)))


def of_beats(beats: list[dict]) -> list[float]:
    """Natural logarithms of the probabilities that token beats tell."""
    return to_float([beat["logprob"] for beat in beats]).tolist()
