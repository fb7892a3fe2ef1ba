"""Several engines, several sequences: every tap and every token equal the integer model, whatever else is in flight."""

from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.sim.jobs import Job, run
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.config import ConfigError, ModelShape
from llama2_myhdl.spec.stops import STOP_ERROR
from tb.decoder.builds import BUILDS, LONG, NANO
from tb.decoder.comparison import compare, model, tap_values

CASES = [(name, sim) for name in BUILDS for sim in SIMULATORS if sim == "verilator" or name.startswith("two")]


def crowd(rng, shape, slots, score) -> list[Job]:
    """A sequence in every slot: prompts of 1 to 8 tokens, arriving now and then, some with pauses inside."""
    jobs = []
    for seq in range(slots):
        prompt = rng.integers(3, shape.vocab_size, rng.integers(1, 9)).tolist()
        steps = len(prompt) + int(rng.integers(0, 6))
        delay, gap = int(rng.integers(0, 6000)), int(rng.choice([0, 0, 900]))
        jobs.append(Job(prompt, steps, score=score, seq=seq, delay=delay, gap=gap))
    return jobs


@pytest.mark.long_runs(0)
@pytest.mark.parametrize(("name", "sim"), CASES)
def test_taps(name, sim, tmp_path):
    """One sequence, every value of every tap of all stations at every position; each weight passes once a token."""
    build, shape = BUILDS[name]
    golden, tape = model(shape, True, 21, build, tmp_path)
    job = Job([5, 9, 4, 7], 7, tape, tuple(range(7)))
    (outcome,) = run(build, sim, [job])
    assert compare(golden, job, outcome) == len(job.taps) * tap_values(shape) > 0
    assert outcome.counted("weights") == job.steps * shape.beats(build.lanes)
    assert outcome.counted("tape") == 0


@pytest.mark.parametrize(("name", "sim"), LONG)
def test_interleaved(name, sim, tmp_path):
    """Sequences that join and leave at random times: the beats of each are those of the sequence alone."""
    build, shape = BUILDS[name]
    golden, tape = model(shape, False, 22, build, tmp_path)
    rng, groups = np.random.default_rng(5), []
    for number in range(3):
        group = crowd(rng, shape, build.sequences, score=number == 1)
        groups.append([replace(group[0], tape=tape if number == 0 else None), *group[1:]])
    jobs = [job for group in groups for job in group]
    compared = 0
    for job, outcome in zip(jobs, run(build, sim, groups), strict=True):
        compare(golden, job, outcome)
        compared += len(outcome.tokens)
    assert compared > 3 * 4 * build.sequences


def test_unscored_positions_skip_the_classifier(tmp_path):
    """A prompt that is not scored: the classifier's beats pass for its last position alone, the story is the same."""
    build, shape = BUILDS["one engine, four sequences"]
    golden, tape = model(shape, True, 23, build, tmp_path)
    prompt, steps = [5, 6, 7, 8, 9], 8
    plain, scored = run(build, SIMULATORS[-1], [Job(prompt, steps, tape, score=False), Job(prompt, steps)])
    for job, outcome in ((Job(prompt, steps, score=False), plain), (Job(prompt, steps), scored)):
        compare(golden, job, outcome)
    skipped = scored.counted("weights") - plain.counted("weights")
    classifier = shape.beats(build.lanes) - shape.beats(build.lanes, classifier=False)
    assert skipped == (len(prompt) - 1) * classifier > 0


def test_one_bad_prompt_leaves_the_others_alone(tmp_path):
    """A token out of range in one slot; the other sequences end as if it had not been there."""
    build, shape = BUILDS["two engines for three layers"]
    golden, tape = model(shape, True, 24, build, tmp_path)
    jobs = [Job([4, 5, 6], 7, tape, seq=0), Job([4, shape.vocab_size, 6, 7], 7, seq=1), Job([8], 6, seq=2, delay=500)]
    good, bad, late = run(build, SIMULATORS[-1], [jobs])
    for job, outcome in zip(jobs, (good, bad, late), strict=True):
        compare(golden, job, outcome)
    assert bad.tokens[-1]["stop"] == STOP_ERROR and bad.tokens[-1]["token"] == shape.vocab_size
    assert bad.finish["error"] == errors.BAD_TOKEN


def test_engines_without_layers_are_refused():
    """A model with fewer layers than engines does not fit."""
    with pytest.raises(ConfigError, match="n_layers: must be at least engines = 2, is 1"):
        replace(NANO, engines=2).check(ModelShape(16, 24, 1, 4, 2, 32, 16))
