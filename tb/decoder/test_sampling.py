"""Stories that are drawn: equal to the integer model's; of one seed the same, whatever runs beside, on any engines."""

import random

import pytest

from llama2_myhdl.rtl.logits.argmax import LATENCY as GREEDY
from llama2_myhdl.rtl.sampling.sampler import latency
from llama2_myhdl.sim.jobs import Job, run
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.sim.session import Session
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.sampling import Sampling
from tb.decoder.builds import BUILDS, LONG
from tb.decoder.comparison import compare, model

DRAWN = dict(temperature=2.0, top_p=0.95)
ALONE = "one engine, four sequences"


def story(seed, stream=0, prompt=(5, 9), steps=12, **fields):
    """A job that draws with a seed; further fields of Job."""
    wishes = dict(sampling=Sampling(**DRAWN, seed=seed, stream=stream), logprobs=True)
    return Job(list(prompt), steps, score=False, wishes=wishes, **fields)


def wishes(rng, vocab):
    """Settings of any kind."""
    sampling = Sampling(
        temperature=rng.choice([0, 0.5, 1.0, 3.0]),
        top_k=rng.choice([0, 0, 1, 4, 8]),
        top_p=rng.choice([1, 1, 0.5, 0.9]),
        min_p=rng.choice([0, 0, 0.05]),
        seed=rng.getrandbits(32),
        stream=rng.getrandbits(32),
    )
    stops = tuple(rng.sample(range(vocab), rng.randrange(3)))
    return dict(sampling=sampling, stops=stops, new_tokens=rng.choice([0, 0, 2, 5]), logprobs=rng.random() < 0.6)


@pytest.mark.parametrize(("name", "sim"), LONG)
def test_mixed(name, sim, tmp_path):
    """Sequences with settings of every kind side by side: every field of every beat, and lists that were too short."""
    build, shape = BUILDS[name]
    golden, tape = model(shape, True, 41, build, tmp_path)
    rng, groups, compared, told = random.Random(name), [], 0, 0
    for number in range(6):
        groups.append([
            Job([rng.randrange(shape.vocab_size) for _ in range(rng.randint(1, 5))], rng.choice([0, 6]), seq=seq,
                tape=None if number or seq else tape, score=rng.random() < 0.5, delay=rng.randrange(3000),
                wishes=wishes(rng, shape.vocab_size))
            for seq in range(build.sequences)
        ])  # fmt: skip
    jobs = [job for group in groups for job in group]
    for job, outcome in zip(jobs, run(build, sim, groups), strict=True):
        compare(golden, job, outcome)
        compared += len(outcome.tokens)
        told += outcome.counted("list_overflows") if job.seq == 0 else 0  # counters are a group's
    assert golden.list_overflows.count == told > 0
    assert compared > 6 * 4 * build.sequences


def test_seeds(tmp_path):
    """Other seeds and streams say something else; one seed says the same alone, beside others, on more engines."""
    shape = BUILDS["an engine a layer"][1]
    told = {}
    for name in (ALONE, "an engine a layer"):
        build = BUILDS[name][0]
        _, tape = model(shape, True, 42, build, tmp_path)
        beside = [story(8, seq=1, prompt=(7,)), *(story(9, seq=k) for k in range(2, build.sequences))]
        groups = [[story(7, tape=tape)], [story(7)], [story(6)], [story(7, stream=1)], [story(7), *beside]]
        outcomes = iter(run(build, SIMULATORS[-1], groups))
        first = [[next(outcomes) for _ in group][0] for group in groups]
        told[name] = [[(beat["token"], beat["logprob"]) for beat in outcome.tokens] for outcome in first]
    alone, wave = told.values()
    assert alone == wave
    same, again, seed, stream, crowded = alone
    assert same == again == crowded
    assert same != seed and same != stream and seed != stream


def test_a_draw_costs_what_its_latency_says(tmp_path):
    """Cycles of a position over those of a greedy one: the sampler's latency less that of argmax, for each setting."""
    build, shape = BUILDS[ALONE]
    _, tape = model(shape, True, 43, build, tmp_path)
    prompt, steps = [5, 9, 4], 3
    cases = {
        (False, 0): dict(sampling=Sampling(1.0)),
        (True, 0): dict(sampling=Sampling(1.0), logprobs=True),
        (False, build.list_entries): dict(sampling=Sampling(1.0, top_p=0.5)),
        (True, 3): dict(sampling=Sampling(1.0, top_k=3), logprobs=True),
    }
    jobs = [Job(prompt, steps, tape, score=False), *(Job(prompt, steps, score=False, wishes=w) for w in cases.values())]
    greedy, *drawn = (outcome.cycles_per_position[-1] for outcome in run(build, SIMULATORS[-1], jobs))
    for (score, listed), cycles in zip(cases, drawn, strict=True):
        assert cycles - greedy == latency(score, listed) - GREEDY, (score, listed)


def test_a_build_without_a_sampler_says_so():
    session = object.__new__(Session)  # it says so before anything runs
    session.draws = False
    with pytest.raises(SimulationError, match="sampling, logprobs: this build has no sampler"):
        session.generate([5], **story(1).wishes)
