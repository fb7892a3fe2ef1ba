"""A soak: tokens without end on nano, sequences with settings of every kind, every beat against the integer model."""

from collections import Counter

import pytest

from tb.sim.models import random_model
from tb.stress.builds import ONE, SHAPE, fast
from tb.stress.crowd import Crowd, Restless
from tb.stress.effort import draws, trials
from tb.stress.jobs import compare, job, weight_beats

pytestmark = [pytest.mark.stress, fast]

FULL, FEW = 100_000, 1600  # tokens
BATCH = 100  # sequences between two looks at the counters
MODEL = 71


def kind_of(job) -> str:
    """How a job's tokens are chosen, for the count."""
    sampling = job.request.sampling
    if sampling.greedy:
        return "greedy"
    cuts = {"top-k": sampling.top_k, "top-p": sampling.top_p < 1, "min-p": sampling.min_p}
    return " ".join(name for name, on in cuts.items() if on) or "all tokens"


def test_soak():
    """One boot, then sequence after sequence in four slots with a token port that stalls now and then."""
    rng, count = draws("soak"), trials(FULL, FEW)
    golden, tape = random_model(MODEL, ONE, SHAPE)
    compared = weights = sequences = 0
    seen = Counter()
    with Crowd(ONE) as session:
        session.sim = Restless(session.sim, rng, hold=0.1)
        assert session.boot(tape) == 0
        while compared < count:
            done = session.tell([job(rng, SHAPE, ONE) for _ in range(BATCH)])
            compared += compare(golden, done)
            weights += weight_beats(SHAPE, ONE.lanes, [beat for told in done for beat in told.beats])
            sequences += len(done)
            seen.update(kind_of(told.job) for told in done)
            seen["log-probabilities"] += sum(told.job.request.logprobs for told in done)
            assert session.counted("tokens") == compared
            assert session.counted("weights") == weights
            assert session.counted("saturations") == golden.saturations.count
            assert session.counted("list_overflows") == golden.list_overflows.count
    print(f"{compared} tokens of {sequences} sequences: {dict(seen)}")
    kinds = ("greedy", "all tokens", "top-k", "top-p", "min-p", "top-k top-p min-p", "log-probabilities")
    assert compared >= count and all(seen[kind] > 0 for kind in kinds), seen
