"""Random shapes within the maxima of several builds, with extreme exponents and weights that saturate."""

from dataclasses import replace

import pytest

from llama2_myhdl.spec import errors
from llama2_myhdl.spec.config import BuildConfig, ConfigError, ModelShape
from tb.boot.images import random_shape
from tb.decoder.builds import NANO16
from tb.stress.builds import NANO, ODD, THREE, TWO, WIDE, fast
from tb.stress.crowd import Crowd
from tb.stress.effort import draws, trials
from tb.stress.jobs import compare, job, weight_beats
from tb.stress.wild import wild_model

pytestmark = [pytest.mark.stress, fast]

FULL, FEW = 40, 10  # a build
BUILDS = {"nano": NANO, "two engines": TWO, "three engines": THREE, "eight lanes": WIDE, "weights of 16 bits": NANO16}
SELDOM = {"three units, no sampler": ODD}  # compiled for the full numbers alone
JOBS = 3  # of each model
EPSILONS = (1e-5, 1e-6, 1e-8, 1e-2)
THETAS = (10000.0, 500000.0, 1.5)


def extreme_shape(build: BuildConfig, rng) -> ModelShape:
    """A shape that the build holds, with an epsilon and a base as unusual."""
    while True:
        shape = random_shape(build, rng)
        try:
            return replace(shape, norm_eps=rng.choice(EPSILONS), rope_theta=rng.choice(THETAS))
        except ConfigError:
            continue


@pytest.mark.parametrize("name", [*BUILDS, *SELDOM])
def test_extreme_models(name):
    """Every beat, the beats of weights, and as many saturations as the integer model has, after each model's jobs."""
    if name in SELDOM and not trials(1, 0):
        pytest.skip(f"{name}: compiled for the full numbers alone (TRIALS=100)")
    build = (BUILDS | SELDOM)[name]
    rng, count = draws(f"shapes {name}"), trials(FULL, FEW)
    shapes, compared, loud, clipped = set(), 0, 0, 0
    with Crowd(build) as session:
        for _ in range(count):
            shape = extreme_shape(build, rng)
            golden, tape = wild_model(shape, build, rng)
            assert session.boot(tape) == errors.NONE
            done = session.tell([job(rng, shape, build) for _ in range(JOBS)])
            compared += compare(golden, done)
            beats = [beat for told in done for beat in told.beats]
            assert session.counted("weights") == weight_beats(shape, build.lanes, beats)
            assert session.counted("list_overflows") == golden.list_overflows.count
            assert session.counted("saturations") == golden.saturations.count, shape
            shapes.add(shape)
            loud += golden.saturations.count > 0
            clipped += golden.saturations.count
    print(f"{name}: {count} models, {compared} beats, {clipped} saturations in {loud} of the models")
    assert len(shapes) > 0.9 * count and compared >= JOBS * count
    assert loud > count // 4 and clipped > 10 * count
