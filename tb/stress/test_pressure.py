"""Tokens that nobody takes, for 10,000 cycles at once and at random, and prompts that pause: no beat is lost."""

import pytest

from tb.sim.models import random_model
from tb.stress.builds import DEEP, FOUR_FOLD, MANY, NANO, SHAPE, THREE_ALONE, TWO_ALONE, Stressed, fast
from tb.stress.crowd import Crowd, Restless
from tb.stress.effort import draws, trials
from tb.stress.jobs import compare, job, weight_beats

pytestmark = [pytest.mark.stress, fast]

HELD = 10_000  # cycles
FULL_HOLDS, FEW_HOLDS = 16, 2  # a build
FULL_CROWDS, FEW_CROWDS = 16, 2  # a build; three jobs a slot in each
JOBS = 3
SHARES = (0.3, 0.97, 0, 0.7)  # of the time in which no token is taken
OFTEN = {"E1 alone": Stressed(NANO, SHAPE), **MANY}
# more builds to compile, for the full numbers alone
SELDOM = {
    "E2 alone": Stressed(TWO_ALONE, DEEP),
    "E3 alone": Stressed(THREE_ALONE, DEEP),
    "E3 four": Stressed(FOUR_FOLD, DEEP),
}


def stressed(name, seed):
    """A build that is to be run, its model and tape, and the session's jobs."""
    chosen = (OFTEN | SELDOM)[name]
    if name in SELDOM and not trials(1, 0):
        pytest.skip(f"{name} is compiled for the full numbers alone (TRIALS=100)")
    return chosen.build, *random_model(seed, chosen.build, chosen.shape, shared=False)


def check_all(session, golden, done):
    """Every beat, and as many beats of weights and saturations as they are to cost; returns how many beats."""
    compared = compare(golden, done)
    beats = [beat for told in done for beat in told.beats]
    assert session.counted("weights") == weight_beats(golden.shape, session.build.lanes, beats)
    assert session.counted("tokens", 0) == len(beats)
    return compared


class Hold:
    """Called when tokens have come: once, from so many cycles on, none passes for HELD cycles."""

    def __init__(self, sim, cycles):
        self.sim, self.begin, self.done = sim, sim.cycle + cycles, False

    def __call__(self):
        if self.done or self.sim.cycle < self.begin:
            return
        end = self.sim.cycle + HELD
        self.sim.set(m_token_ready=0)
        self.sim.run(HELD)
        assert self.sim.cycle == end, "a token has passed a port that was not ready"
        self.sim.set(m_token_ready=1)
        self.done = True


@pytest.mark.parametrize("name", [*OFTEN, *SELDOM])
def test_held_for_long(name):
    """At a random moment the token port stalls for 10,000 cycles: nothing passes, everything comes behind it."""
    build, golden, tape = stressed(name, 51)
    rng, count, compared = draws(f"hold {name}"), trials(FULL_HOLDS, FEW_HOLDS), 0
    with Crowd(build) as session:
        for _ in range(count):
            assert session.boot(tape) == 0
            hold = Hold(session.sim, rng.randint(1, (JOBS - 1) * golden.shape.beats(build.lanes)))
            done = session.tell([job(rng, golden.shape, build) for _ in range(JOBS * build.sequences)], look=hold)
            assert hold.done
            compared += check_all(session, golden, done)
    assert compared > JOBS * count


class Deaf:
    """A simulator whose token port takes all, whatever it is told."""

    def __init__(self, sim):
        self.sim = sim

    def __getattr__(self, name):
        return getattr(self.sim, name)

    def set(self, **pins):
        self.sim.set(**pins | dict(m_token_ready=1))


def test_a_token_that_passes_a_hold_is_seen():
    build, golden, tape = stressed("E1 alone", 53)
    with Crowd(build) as session:
        session.boot(tape)
        hold = Hold(Deaf(session.sim), 1)
        with pytest.raises(AssertionError, match="passed a port that was not ready"):
            session.tell([job(draws("deaf"), golden.shape, build) for _ in range(JOBS)], look=hold)


@pytest.mark.parametrize("name", [*OFTEN, *SELDOM])
def test_at_random(name):
    """Stalls from one cycle to hundreds, in none to nearly all of the time, and prompts with pauses of every length."""
    build, golden, tape = stressed(name, 52)
    rng, count, compared = draws(f"pressure {name}"), trials(FULL_CROWDS, FEW_CROWDS), 0
    with Crowd(build) as session:
        port = session.sim
        for number in range(count):
            longest = rng.choice((1, 20, 400))
            session.sim = Restless(port, rng, hold=SHARES[number % len(SHARES)], longest=longest)
            assert session.boot(tape) == 0
            done = session.tell([job(rng, golden.shape, build) for _ in range(JOBS * build.sequences)])
            compared += check_all(session, golden, done)
    assert compared > JOBS * count
