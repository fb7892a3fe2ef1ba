"""How likely tokens are: log-probabilities in float64, from the integer model's and the float model's logits."""

import numpy as np

from llama2_myhdl.golden.fixed.arith import to_float
from llama2_myhdl.golden.fixed.sampler import Draw, Sampler
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.golden.float_ops import log_softmax
from llama2_myhdl.spec.sampling import Sampling


class Scored:
    """A sampler, with these settings, that keeps in `exact` the log-probabilities that are asked for, in float64."""

    def __init__(self, sampler: Sampler, sampling: Sampling):
        self._sampler, self._temperature, self.exact = sampler, sampling.temperature or 1.0, []

    def __call__(self, logits, position: int, following: int | None = None) -> Draw:
        draw = self._sampler(logits, position, following)
        if self._sampler.logprobs:
            scores = log_softmax(to_float(logits) / self._temperature)
            self.exact.append(float(scores[draw.token if following is None else following]))
        return draw


def float_logprobs(model: FloatModel, tokens: list[int]) -> list[float]:
    """Of each token but the first, behind those in front of it."""
    scores = log_softmax(model.forward_all(np.array(tokens[:-1])))
    return [float(row[token]) for row, token in zip(scores, tokens[1:])]


def likelihood(logprobs: list[float]) -> dict[str, float | None]:
    """mean_logprob and perplexity of tokens with these log-probabilities; None where there are none."""
    if not logprobs:
        return dict(mean_logprob=None, perplexity=None)
    mean = float(np.mean(logprobs))
    with np.errstate(over="ignore"):  # of a hopeless model it is infinite
        return dict(mean_logprob=mean, perplexity=float(np.exp(-mean)))
