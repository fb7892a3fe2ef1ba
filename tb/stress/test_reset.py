"""Reset at a random cycle of boot, prompt and story: the good image and the sequences behind it come out right."""

from collections import Counter
from dataclasses import replace

import pytest

from tb.sim.models import random_model
from tb.stress.builds import MANY, fast
from tb.stress.crowd import Crowd, Restless
from tb.stress.effort import draws, trials
from tb.stress.jobs import compare, job, weight_beats

pytestmark = [pytest.mark.stress, fast]

FULL, FEW = 90, 6  # a build
PHASES = ("boot", "prompt", "story")
PROMPT_TOKENS = 6  # of each slot's prompt, at most
MODELS = 3  # that are booted in turn


def interrupt(session, rng, phase, golden, tape):
    """Run into a phase and stop at a random cycle of it; the next boot begins with the reset."""
    shape, build = golden.shape, session.build
    if phase == "boot":
        session.cut_boot(tape, rng.randint(1, len(tape.beats) + 200))
        return
    assert session.boot(tape) == 0
    session.start([replace(job(rng, shape, build), delay=0) for _ in range(build.sequences)])
    token = shape.beats(build.lanes)
    first = 0 if phase == "prompt" else PROMPT_TOKENS * token
    end = session.sim.cycle + first + rng.randint(1, PROMPT_TOKENS * token)
    while session.sim.cycle < end:
        session.step(end - session.sim.cycle)


@pytest.mark.parametrize("name", MANY)
def test_reset_at_any_cycle(name):
    """Models in turn; beats of weights and saturations count from zero again; the token port is free, or stalls."""
    stressed, rng, seen, compared = MANY[name], draws(f"reset {name}"), Counter(), 0
    build, count = stressed.build, trials(FULL, FEW)
    models = [random_model(seed, build, stressed.shape, shared=seed % 2 == 0) for seed in range(MODELS)]
    with Crowd(build) as session:
        session.sim = Restless(session.sim, rng, hold=0.2)
        for number in range(count):
            phase = PHASES[number % len(PHASES)]
            interrupt(session, rng, phase, *models[number % MODELS])
            golden, tape = models[(number + 1) % MODELS]
            golden.saturations.count = 0
            assert session.boot(tape) == 0
            done = session.tell([job(rng, golden.shape, build) for _ in range(build.sequences)])
            compared += compare(golden, done)
            beats = [beat for told in done for beat in told.beats]
            assert session.counted("weights") == weight_beats(golden.shape, build.lanes, beats)
            assert session.counted("saturations") == golden.saturations.count
            seen[phase] += 1
    assert seen.total() == count and min(seen[phase] for phase in PHASES) >= count // len(PHASES)
    assert compared >= count
