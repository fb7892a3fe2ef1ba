"""The decode model against the oracle of the decode loop's testbench, which is written another way."""

import random
from collections import Counter

import numpy as np
import pytest

from llama2_myhdl.golden.fixed.decode import decode
from llama2_myhdl.spec.sequence import Beat, Request, following
from llama2_myhdl.spec.stops import GOES_ON, STOP_CONTEXT, STOP_ERROR, STOP_NAMES, STOP_STEPS, STOP_TOKEN
from tb.decode.loop_bench import CONTEXT, STOPS, VOCAB, answer, expected, random_job

JOBS = 2000


def logits(token, pos):
    """What makes `answer` the most likely one."""
    return np.eye(VOCAB)[answer(token, pos)]


def decoded(job, stops=STOPS):
    """Requests of the decode model and its beats, as the oracle has them."""
    prompt, steps, score = job
    requests = []

    def forward(token, pos, scored):
        requests.append((token, pos, int(scored)))
        return logits(token, pos) if scored else None

    beats = list(decode(Request(tuple(prompt), steps, bool(score)), VOCAB, CONTEXT, forward, stops=stops))
    return requests, [(b.token, b.pos, int(b.scored), int(b.sampled), b.stop, int(b.last)) for b in beats]


def test_random_sequences():
    """Equal requests and beats; every way to end comes often."""
    rng, ends, compared = random.Random(4), Counter(), 0
    for _ in range(JOBS):
        job = random_job(rng)
        requests, beats, _ = expected(job)
        assert decoded(job) == (requests, beats), job
        ends[beats[-1][4]] += 1
        compared += len(beats)
    assert compared > 3 * JOBS
    assert ends.keys() == STOP_NAMES.keys() and min(ends.values()) > JOBS // 50


@pytest.mark.parametrize("way", ["position", "stop token", "score"])
def test_a_drift_is_seen(way):
    """Another limit, other stop tokens, another scoring: each differs from the oracle somewhere."""
    rng, different = random.Random(5), 0
    for _ in range(200):
        prompt, steps, score = random_job(rng)
        changed = {"position": (prompt, steps + 1, score), "score": (prompt, steps, 1 - score)}.get(way)
        if changed is None:
            different += decoded((prompt, steps, score), stops=STOPS[:1]) != expected((prompt, steps, score))[:2]
        else:
            different += decoded(changed) != expected((prompt, steps, score))[:2]
    assert different > 5


def test_choose_is_asked_for_every_token():
    """Another choice than the largest; and only where a prediction is wanted."""
    asked = []

    def second(values):
        asked.append(values)
        return int(np.argsort(values)[-2])

    request = Request((5, 6, 7), steps=5, score=False)
    beats = list(decode(request, VOCAB, CONTEXT, lambda token, pos, scored: np.arange(VOCAB), second))
    assert [beat.token for beat in beats] == [0, 0, VOCAB - 2, VOCAB - 2, VOCAB - 2] and len(asked) == 3


def test_following():
    """The tokens of a story: the prompt's, then those sampled, the one at the end too unless it stops the story."""
    prompt = (4, 9)
    assert following(prompt, Beat(0, 0, False, False, GOES_ON)) == 9
    for stop in (GOES_ON, STOP_STEPS, STOP_CONTEXT):
        assert following(prompt, Beat(7, 1, True, True, stop)) == 7
    assert following(prompt, Beat(2, 1, True, True, STOP_TOKEN)) is None
    for stop in (STOP_STEPS, STOP_ERROR):
        assert following(prompt, Beat(0, 0, False, False, stop)) is None
