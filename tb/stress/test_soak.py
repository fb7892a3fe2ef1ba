"""A soak: tokens without end on nano, sequences with settings of every kind, every beat against the integer model."""

from collections import Counter

import pytest

from llama2_myhdl.spec.config import ModelShape
from tb.sim.models import random_model
from tb.stress.builds import ONE, SHAPE, fast
from tb.stress.crowd import Crowd, Restless
from tb.stress.effort import draws, trials
from tb.stress.jobs import compare, job, weight_beats

pytestmark = [pytest.mark.stress, fast]

FULL, FEW = 100_000, 2000  # tokens
BATCH = 100  # sequences of a model before the next one is booted
SHAPES = (SHAPE, ModelShape(8, 22, 1, 2, 2, 29, 16), ModelShape(12, 9, 1, 3, 1, 23, 16))
MODEL = 71  # seed of the first


def kind_of(job) -> str:
    """How a job's tokens are chosen, for the count."""
    sampling = job.request.sampling
    if sampling.greedy:
        return "greedy"
    cuts = {"top-k": sampling.top_k, "top-p": sampling.top_p < 1, "min-p": sampling.min_p}
    return " ".join(name for name, on in cuts.items() if on) or "all tokens"


def test_soak():
    """Models in turn, sequence after sequence in four slots, with a token port that stalls now and then."""
    rng, count = draws("soak"), trials(FULL, FEW)
    models = [random_model(MODEL + k, ONE, shape) for k, shape in enumerate(SHAPES)]
    compared, seen = 0, Counter()
    with Crowd(ONE) as session:
        session.sim = Restless(session.sim, rng, hold=0.1)
        while compared < count:
            golden, tape = models[seen["boots"] % len(models)]
            golden.saturations.count = golden.list_overflows.count = 0
            assert session.boot(tape) == 0
            done = session.tell([job(rng, golden.shape, ONE) for _ in range(BATCH)])
            told_beats = compare(golden, done)
            compared += told_beats
            weights = weight_beats(golden.shape, ONE.lanes, [beat for told in done for beat in told.beats])
            seen["boots"] += 1
            seen["sequences"] += len(done)
            seen.update(kind_of(told.job) for told in done)
            seen["log-probabilities"] += sum(told.job.request.logprobs for told in done)
            assert session.counted("tokens") == told_beats
            assert session.counted("weights") == weights
            assert session.counted("saturations") == golden.saturations.count
            assert session.counted("list_overflows") == golden.list_overflows.count
    print(f"{compared} tokens: {dict(seen)}")
    kinds = ("greedy", "all tokens", "top-k", "top-p", "min-p", "top-k top-p min-p", "log-probabilities")
    assert compared >= count and all(seen[kind] > 0 for kind in kinds), seen
