"""How the integer sampler's tokens are distributed, against what its settings mean in float64.

Three measures of a run, which is many draws from one vector of logits:
- the p-value of Pearson's chi-square test of the counts;
- the total variation distance of the observed frequencies. An exact sampler's frequencies have one as well, the noise:
  with 200,000 draws about 0.02 where 512 tokens are equally likely, and above 0.01 from about 130 such tokens on. So
  it stands beside it, and the limit is LARGEST_VARIATION or, where that is more, the noise and what it may vary by;
- the bias, which no draws are needed for: the distance of the distribution that the integers imply, if all random words
  are equally likely. It follows from the thresholds against which the random numbers are held.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, erfc, exp, floor, lgamma, log, log1p, sqrt

import numpy as np

from llama2_myhdl.golden.fixed.arith import to_float
from llama2_myhdl.golden.fixed.sampler import RANDOM_BITS, candidates, greedy, sample_many, thresholds
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.spec.presets import build_for
from llama2_myhdl.spec.quantised import QuantisedCheckpoint
from llama2_myhdl.spec.sampling import LIST, Registers, Sampling

SETTINGS = {
    "T 0.5": Sampling(0.5),
    "T 0.8": Sampling(0.8),
    "T 1.0": Sampling(1.0),
    "T 1.5": Sampling(1.5),
    "top-k 40": Sampling(1.0, top_k=40),
    "top-p 0.9": Sampling(1.0, top_p=0.9),
    "min-p 0.05": Sampling(1.0, min_p=0.05),
    "all, T 0.8": Sampling(0.8, top_k=40, top_p=0.9, min_p=0.05),
}
VECTORS, DRAWS = 20, 200_000
SIGNIFICANCE = 0.01  # p-values below it are counted
CHANCE = 0.001  # of more of them than are allowed, or of a smallest one below the limit, from an exact sampler
LARGEST_VARIATION, LARGEST_BIAS = 0.01, 1e-4
LEAST_EXPECTED = 5  # draws in a bin; less likely tokens share one
MANTISSAS = 1 << 16  # of a random number


def exact(logits, sampling: Sampling, entries: int | None = None) -> np.ndarray:
    """Probabilities float64 [vocab] that the settings mean for logits in F: temperature, top-k, top-p, min-p.

    Of equal logits the first are kept. entries: at most that many are, where anything is cut off at all.
    """
    x, result = to_float(logits), np.zeros(len(logits))
    if sampling.greedy:
        result[greedy(logits)] = 1
        return result
    order = np.argsort(-x, kind="stable")
    p = np.exp((x[order] - x[order[0]]) / sampling.temperature)
    kept = min(sampling.top_k or len(p), len(p))
    p[kept:] = 0
    p /= p.sum()
    if sampling.top_p < 1:
        kept = min(kept, 1 + np.count_nonzero(np.cumsum(p) < sampling.top_p))
    if sampling.min_p > 0:
        kept = min(kept, np.count_nonzero(p >= sampling.min_p * p[0]))
    if entries is not None and not sampling.registers().whole:
        kept = min(kept, entries)
    p[kept:] = 0
    result[order] = p / p.sum()
    return result


def implied(logits, registers: Registers, entries: int = LIST) -> np.ndarray:
    """Probabilities float64 [vocab] of the integer sampler's tokens, if its random words are ideal."""
    result = np.zeros(len(logits))
    if registers.greedy:
        result[greedy(logits)] = 1
        return result
    walk, _, _ = candidates(logits, registers, entries)
    top, shift = thresholds(walk.n, walk.total)
    z = np.arange(RANDOM_BITS + 1)[:, None]
    accepted = -(-(walk.mantissa << np.clip(shift + z, 17, 20)) // top) - MANTISSAS  # of the random mantissas
    chance = 2.0 ** -np.minimum(z + 1, RANDOM_BITS)
    takes = (chance * np.clip(accepted, 0, MANTISSAS) / MANTISSAS).sum(axis=0)
    stays = np.append(np.cumprod(1 - takes[:0:-1])[::-1], 1)  # no later item takes its place
    result[walk.token] = takes * stays
    return result


def survival(x: float, degrees: int) -> float:
    """Probability that chi-square with that many degrees of freedom (1 or more) is x or more.

    The upper incomplete gamma function of half the degrees, by its recurrence from 1/2 or 0.
    """
    half, order = x / 2, degrees % 2 / 2
    if half <= 0:
        return 1.0
    result = erfc(sqrt(half)) if order else 0.0
    while order < degrees / 2:
        result += exp(order * log(half) - half - lgamma(order + 1))
        order += 1
    return result


def chi_square(counts, probabilities) -> float | None:
    """p-value of counts [n] under probabilities [n]; None where all is one bin: there is nothing to test.

    Bins with less than LEAST_EXPECTED draws expected are one, with the next larger one if they are still less together.
    A count where the probability is 0 gives 0.
    """
    counts, expected = np.asarray(counts), np.asarray(probabilities) * np.sum(counts)
    if counts[expected == 0].any():
        return 0.0
    order = np.argsort(expected)
    counts, expected = counts[order], expected[order]
    rare = max(np.searchsorted(expected, LEAST_EXPECTED), np.searchsorted(np.cumsum(expected), LEAST_EXPECTED) + 1)
    if expected[0] < LEAST_EXPECTED:
        counts = np.append(counts[rare:], counts[:rare].sum())
        expected = np.append(expected[rare:], expected[:rare].sum())
    if len(counts) < 2:
        return None
    return survival(float(np.sum((counts - expected) ** 2 / expected)), len(counts) - 1)


def total_variation(a, b) -> float:
    """Half the sum of the distances of two distributions [n]."""
    return float(np.abs(np.asarray(a) - np.asarray(b)).sum() / 2)


def noise(probabilities, draws: int) -> float:
    """Mean total variation distance of the frequencies of so many exact draws [n] (de Moivre's mean deviation)."""

    def deviation(p: float) -> float:
        m = floor(draws * p) + 1
        if p <= 0 or m > draws:
            return 0.0
        ways = lgamma(draws + 1) - lgamma(m + 1) - lgamma(draws - m + 1)
        return 2 * m * exp(ways + m * log(p) + (draws - m + 1) * log1p(-p)) / draws

    return sum(deviation(p) for p in np.asarray(probabilities).tolist()) / 2


def allowed(tests: int) -> int:
    """How many p-values of so many tests may be below SIGNIFICANCE: more are so with a probability below CHANCE."""
    beyond, count = 1.0, -1
    while beyond >= CHANCE:
        count += 1
        beyond -= comb(tests, count) * SIGNIFICANCE**count * (1 - SIGNIFICANCE) ** (tests - count)
    return count


@dataclass(frozen=True)
class Run:
    """Many draws from one vector of logits, and how far they are from the exact distribution.

    tokens: how many can be drawn; p_value: None where all draws but less than LEAST_EXPECTED are of one token;
    variation, noise, bias: distances as above; missed: probability of tokens that the settings keep and the list has no
    room for, which the comparison leaves out.
    """

    vector: str
    setting: str
    draws: int
    tokens: int
    p_value: float | None
    variation: float
    noise: float
    bias: float
    missed: float

    @property
    def limit(self) -> float:
        """What `variation` must be below: four standard deviations, 0.3 / sqrt(draws) at most each, above the noise."""
        return max(LARGEST_VARIATION, self.noise + 4 * 0.3 / sqrt(self.draws))


def run(vector: str, setting: str, logits, sampling: Sampling, draws: int = DRAWS, entries: int = LIST) -> Run:
    """Draw at the positions 0 to draws - 1 and compare. vector, setting: names."""
    wanted = exact(logits, sampling, entries)
    tokens = sample_many(logits, sampling.registers(), np.arange(draws), entries)
    counts = np.bincount(tokens, minlength=len(wanted))
    return Run(
        vector=vector,
        setting=setting,
        draws=draws,
        tokens=int(np.count_nonzero(wanted)),
        p_value=chi_square(counts, wanted),
        variation=total_variation(counts / draws, wanted),
        noise=noise(wanted, draws),
        bias=total_variation(implied(logits, sampling.registers(), entries), wanted),
        missed=total_variation(exact(logits, sampling), wanted),
    )


def faults(runs: Sequence[Run]) -> list[str]:
    """What an exact sampler would not have done, a line each; none: the runs pass."""
    tested = [run.p_value for run in runs if run.p_value is not None]
    low = sum(p < SIGNIFICANCE for p in tested)
    said = []
    if low > allowed(len(tested)):
        said.append(f"{low} of {len(tested)} p-values are below {SIGNIFICANCE}, {allowed(len(tested))} may be")
    if tested and min(tested) < CHANCE / len(tested):
        said.append(f"the smallest of {len(tested)} p-values is {min(tested):.2g}")
    for measure in ("variation", "bias"):
        limits = [run.limit if measure == "variation" else LARGEST_BIAS for run in runs]
        beyond = [run for run, limit in zip(runs, limits) if getattr(run, measure) >= limit]
        if beyond:
            worst = max(beyond, key=lambda run: getattr(run, measure))
            largest = f"{getattr(worst, measure):.2g} at {worst.setting}, position {worst.vector}"
            said.append(f"{len(beyond)} of {len(runs)} runs: {measure} too large, {largest}")
    return said


def logit_vectors(weights: QuantisedCheckpoint, tokens: Sequence[int], count: int = VECTORS) -> dict[str, np.ndarray]:
    """The integer model's logits (F) at `count` positions of a text, evenly apart from the first on; by position."""
    model, found = FixedModel(weights, build_for(weights.shape)), {}
    wanted = range(0, len(tokens), max(1, len(tokens) // count))[:count]
    for position, token in enumerate(tokens[: wanted[-1] + 1]):
        logits = model.forward(token, position, scored=position in wanted)
        if position in wanted:
            found[str(position)] = logits
    return found
