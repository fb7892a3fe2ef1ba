"""Bad images of every kind, each followed by a good one of another shape that then tells right."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.spec import errors
from llama2_myhdl.spec.presets import build_of
from llama2_myhdl.spec.registers import KIND, REGISTERS, WORD, register_limits
from llama2_myhdl.weights.tape import checksum
from tb.boot.images import FREE, random_shape, sealed
from tb.sim.models import random_model
from tb.stress.builds import TWO, WIDE, fast
from tb.stress.crowd import Crowd
from tb.stress.effort import draws, trials
from tb.stress.jobs import compare, job, weight_beats

pytestmark = [pytest.mark.stress, fast]

FULL, FEW = 80, 8  # a build
BUILDS = {"nano": build_of("nano"), "two_engines": TWO, "side_by_side": WIDE}
JOBS = 2  # behind each good image
FRONT = len(REGISTERS)


def fold(beat):
    """What the checksum sees of a beat."""
    return checksum(beat.tobytes(), len(beat))


def with_register(beats, build, name, value):
    """The image with a register of another value and a right checksum."""
    beats[REGISTERS.index(name), : WORD // 8] = np.array([value], "<u4").view(np.uint8)
    return sealed(beats, build)


def another_kind(beats, build, rng):
    name = rng.choice(KIND)
    right = int(beats[REGISTERS.index(name), : WORD // 8].copy().view("<u4")[0])
    return with_register(beats, build, name, right ^ 1 << rng.randrange(WORD))


def over_a_limit(beats, build, rng):
    limits = register_limits(build)
    name = rng.choice([name for name in REGISTERS if name not in KIND and limits[name][1] < (1 << WORD) - 1])
    high = limits[name][1]
    return with_register(beats, build, name, rng.choice((high + 1, (1 << WORD) - 1, rng.randint(high + 1, 1 << 31))))


def below_a_limit(beats, build, rng):
    limits = register_limits(build)
    name = rng.choice([name for name in REGISTERS if name not in (*KIND, *FREE) and limits[name][0] > 0])
    return with_register(beats, build, name, 0)


def truncated(beats, build, rng):
    """Anywhere, in the registers too: from a single beat to all but the checksum."""
    return beats[: rng.choice((1, FRONT, len(beats) - 1, rng.randrange(1, FRONT), rng.randrange(FRONT, len(beats))))]


def cut_and_sealed(beats, build, rng):
    """Too short, with the right checksum of what is left."""
    return sealed(beats[: rng.randrange(FRONT + 1, len(beats))].copy(), build)


def overlong(beats, build, rng):
    more = rng.choice((1, rng.randint(2, 300)))
    return np.concatenate([beats, np.frombuffer(rng.randbytes(more * build.lanes), np.uint8).reshape(more, -1)])


def flipped(beats, build, rng):
    """A bit of frequencies, embedding, tapes or the checksum itself."""
    beat = rng.randrange(FRONT, len(beats))
    beats[beat, rng.randrange(WORD // 8 if beat == len(beats) - 1 or beat == FRONT else build.lanes)] ^= (
        1 << rng.randrange(8)
    )
    return beats


def exchanged(beats, build, rng):
    """Two beats of the payload in each other's place: not so many words apart that the checksum, which turns by a bit
    a beat, takes them for the same."""
    while True:
        a, b = (rng.randrange(FRONT + 1, len(beats) - 1) for _ in range(2))
        if (a - b) % WORD and fold(beats[a]) != fold(beats[b]):
            beats[[a, b]] = beats[[b, a]]
            return beats


DAMAGES = {
    another_kind: errors.BAD_IMAGE,
    over_a_limit: errors.BAD_SHAPE,
    below_a_limit: errors.BAD_SHAPE,
    truncated: errors.BAD_LENGTH,
    cut_and_sealed: errors.BAD_LENGTH,
    overlong: errors.BAD_LENGTH,
    flipped: errors.BAD_CHECKSUM,
    exchanged: errors.BAD_CHECKSUM,
}


def drawn_model(build, rng):
    """A model of a random shape that is long enough to say something."""
    shape = random_shape(build, rng)
    return random_model(rng.getrandbits(31), build, replace(shape, seq_len=max(shape.seq_len, 4)), rng.random() < 0.5)


@pytest.mark.parametrize("name", BUILDS)
def test_bad_images_and_good_ones(name):
    """Every damage in turn, into whatever the image before has left: its code, then a good model and what it tells."""
    build, rng, seen, compared = BUILDS[name], draws(f"images {name}"), Counter(), 0
    count, shapes = trials(FULL, FEW), set()
    with Crowd(build) as session:
        for number in range(count):
            damage, code = list(DAMAGES.items())[number % len(DAMAGES)]
            _, tape = drawn_model(build, rng)
            assert session.boot(replace(tape, beats=damage(tape.beats.copy(), build, rng))) == code, damage
            assert session.sim.get("loaded") == 0
            seen[damage] += 1
            golden, tape = drawn_model(build, rng)
            assert session.boot(tape) == errors.NONE
            done = session.tell([job(rng, golden.shape, build) for _ in range(JOBS)])
            compared += compare(golden, done)
            beats = [beat for told in done for beat in told.beats]
            assert session.counted("weights") == weight_beats(golden.shape, build.lanes, beats)
            shapes.add(golden.shape)
    assert seen.total() == count and all(seen[damage] >= count // len(DAMAGES) for damage in DAMAGES)
    assert len(shapes) > count // 2 and compared >= JOBS * count
