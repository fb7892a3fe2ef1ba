"""The decode model against the oracle of the decode loop's testbench, which is written another way."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.golden.fixed.decode import decode
from llama2_myhdl.golden.fixed.sampler import Draw, greedy
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.sampling import Sampling
from llama2_myhdl.spec.sequence import Beat, Request, following
from llama2_myhdl.spec.stops import GOES_ON, STOP_CONTEXT, STOP_ERROR, STOP_NAMES, STOP_STEPS, STOP_TOKEN
from llama2_myhdl.weights.quantise import quantise_checkpoint
from tb.decode.loop_bench import CONTEXT, STOPS, VOCAB, answer, expected, random_job

JOBS = 2000


def logits(token, pos):
    """What makes `answer` the most likely one."""
    return np.eye(VOCAB)[answer(token, pos)]


def decoded(job, stops=STOPS):
    """Requests of the decode model and its beats, as the oracle has them."""
    prompt, steps, score, wishes = job
    own = tuple(wishes[f"stop_{k}"] for k in range(wishes.get("stops", 0)))
    new_tokens = wishes.get("new_tokens", 0)
    request = Request(tuple(prompt), steps, bool(score), stops=own, new_tokens=new_tokens, logprobs=True)
    requests = []

    def forward(token, pos, scored):
        requests.append((token, pos, int(scored)))
        return logits(token, pos) if scored else None

    def choose(logits, position, following):
        return Draw(int(np.argmax(logits)), -int(np.argmax(logits)))

    beats = list(decode(request, VOCAB, CONTEXT, forward, choose, stops))
    return requests, [(b.token, b.pos, int(b.scored), int(b.sampled), b.stop, int(b.last), b.logprob) for b in beats]


def test_random_sequences():
    """Equal requests and beats; every way to end comes often."""
    rng, ends, compared = random.Random(4), Counter(), 0
    for _ in range(JOBS):
        job = random_job(rng, faults=False)
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
        job = prompt, steps, score, wishes = random_job(rng, faults=False)
        more = wishes | dict(new_tokens=wishes.get("new_tokens", CONTEXT) + 1)
        changed = {
            "position": (prompt, steps + 1, score, more),
            "score": (prompt, steps, 1 - score, wishes),
            "stop token": job,
        }[way]
        different += decoded(changed, STOPS[:1] if changed is job else STOPS) != expected(job)[:2]
    assert different > 5


def test_choose_is_asked_for_every_token():
    """Another choice than the largest; and only where a prediction is wanted."""
    asked = []

    def second(values, position, following):
        asked.append((position, following))
        return Draw(int(np.argsort(values)[-2]))

    request = Request((5, 6, 7), steps=5, score=False)
    beats = list(decode(request, VOCAB, CONTEXT, lambda token, pos, scored: np.arange(VOCAB), second))
    assert [beat.token for beat in beats] == [0, 0, VOCAB - 2, VOCAB - 2, VOCAB - 2]
    assert asked == [(2, None), (3, None), (4, None)]


def test_choose_is_told_what_the_prompt_has_next():
    asked = []

    def choose(values, position, following):
        asked.append((position, following))
        return Draw(3, -position - 1)

    def told(**fields):
        asked.clear()
        return list(decode(Request((5, 6, 7), 4, **fields), VOCAB, CONTEXT, lambda *given: None, choose))

    assert [beat.logprob for beat in told(logprobs=True)] == [-1, -2, -3, -4]
    assert asked == [(0, 6), (1, 7), (2, None), (3, None)]
    assert [beat.logprob for beat in told(logprobs=True, score=False)] == [0, 0, -3, -4]
    assert [beat.logprob for beat in told()] == [0, 0, 0, 0]


def ends(**fields):
    """Positions and reason of a sequence of three prompt tokens whose token at position p is p."""
    request = Request((5, 6, 7), **fields)
    beats = list(decode(request, VOCAB, CONTEXT, lambda token, pos, scored: np.arange(VOCAB) == pos, stops=()))
    return len(beats), beats[-1].stop


@pytest.mark.parametrize("score", [True, False])
def test_new_tokens(score):
    """Sampled ones are counted, not the prompt's; what comes first ends the sequence, a stop token before a limit."""
    assert ends(score=score) == (CONTEXT, STOP_CONTEXT)
    assert ends(score=score, new_tokens=1) == (3, STOP_STEPS)
    assert ends(score=score, new_tokens=4) == (6, STOP_STEPS)
    assert ends(score=score, new_tokens=4, steps=5) == (5, STOP_STEPS)
    assert ends(score=score, new_tokens=4, steps=8) == (6, STOP_STEPS)
    assert ends(score=score, new_tokens=CONTEXT - 2) == (CONTEXT, STOP_STEPS)
    assert ends(score=score, new_tokens=CONTEXT - 1) == (CONTEXT, STOP_CONTEXT)
    assert ends(score=score, new_tokens=4, stops=(5,)) == (6, STOP_TOKEN)


@pytest.mark.parametrize("score", [True, False])
def test_stop_tokens_of_a_sequence(score):
    """Besides those of every sequence, and only where a token is sampled."""
    assert ends(score=score, stops=(7,)) == (8, STOP_TOKEN)
    assert ends(score=score, stops=(0, 1, 9, 4)) == (5, STOP_TOKEN)
    assert ends(score=score, stops=(0, 1)) == (CONTEXT, STOP_CONTEXT)
    with pytest.raises(ValueError, match="stops must be at most 4 tokens, are 5"):
        Request((5,), stops=(3, 4, 5, 6, 7))


SAMPLED = Sampling(1.2, top_k=20, top_p=0.95, seed=5)
STORY = Request((4, 9, 3), sampling=SAMPLED, logprobs=True)


def beats_of(model, request, **changes):
    return list(model.decode(replace(request, **changes), stops=()))


@pytest.fixture(scope="module")
def model():
    """A random model whose tokens are not all but certain."""
    shape = ModelShape(8, 22, 2, 2, 1, 29, 40)
    build = replace(preset("nano").build, max_seq=64)
    return FixedModel(quantise_checkpoint(random_checkpoint(shape, 3), gptq=False), build)


def test_sampled_sequences(model):
    """The same again for a seed; others for another seed or stream; and none of it greedy."""
    story = beats_of(model, STORY)
    assert beats_of(model, STORY) == story and len(story) == 40
    others = [
        beats_of(model, STORY, sampling=replace(SAMPLED, seed=6)),
        beats_of(model, STORY, sampling=replace(SAMPLED, stream=1)),
        beats_of(model, STORY, sampling=Sampling()),
    ]
    assert len({tuple(beat.token for beat in beats) for beats in (story, *others)}) == 4
    assert len({beat.token for beat in story}) > 5


def test_a_story_as_its_own_prompt(model):
    """Prompted with the tokens that were sampled: their log-probabilities are the same, its end goes on as it did."""
    story = beats_of(model, STORY)
    inputs = [*STORY.prompt, *(beat.token for beat in story if beat.sampled)]
    again = beats_of(model, STORY, prompt=tuple(inputs[:20]))
    assert [beat.logprob for beat in again[2:]] == [beat.logprob for beat in story[2:]]
    assert again[19:] == story[19:]
    for beat in again[:19]:
        assert not beat.sampled and beat.token == greedy(model_logits(model, inputs, beat.pos))


def model_logits(model, inputs, position):
    model.reset()
    return [model.forward(token, pos) for pos, token in enumerate(inputs[: position + 1])][-1]


def test_log_probabilities_only_where_asked_for(model):
    story = beats_of(model, STORY)
    assert all(beat.logprob < 0 for beat in story)
    assert beats_of(model, STORY, logprobs=False) == [replace(beat, logprob=0) for beat in story]
    unscored = beats_of(model, STORY, score=False)
    assert [beat.logprob for beat in unscored[:2]] == [0, 0] and unscored[2:] == story[2:]
    ended = beats_of(model, STORY, prompt=(4, 29, 3))
    assert [(beat.token, beat.logprob, beat.stop) for beat in ended[1:]] == [(29, 0, STOP_ERROR)]
    assert ended[0].logprob == 0  # of a token that there is not


def test_following():
    """The tokens of a story: the prompt's, then those sampled, the one at the end too unless it stops the story."""
    prompt = (4, 9)
    assert following(prompt, Beat(0, 0, False, False, GOES_ON)) == 9
    for stop in (GOES_ON, STOP_STEPS, STOP_CONTEXT):
        assert following(prompt, Beat(7, 1, True, True, stop)) == 7
    assert following(prompt, Beat(2, 1, True, True, STOP_TOKEN)) is None
    for stop in (STOP_STEPS, STOP_ERROR):
        assert following(prompt, Beat(0, 0, False, False, stop)) is None
