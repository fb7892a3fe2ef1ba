"""A memory of tapes, rows or caches that fails at a random beat: its code, no hang, and the next sequence is right."""

from collections import Counter

import pytest

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.sim.jobs import beat_of
from llama2_myhdl.sim.session import Session
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.axi import DECERR, SLVERR
from llama2_myhdl.spec.errors import (
    DECODE_ERROR,
    MEANING,
    NONE,
    SLAVE_ERROR,
    WRITE_DECODE_ERROR,
    WRITE_SLAVE_ERROR,
)
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.sequence import Request
from llama2_myhdl.weights.memory import memory_image
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image
from tb.records import record
from tb.stress.builds import fast
from tb.stress.effort import draws, trials

pytestmark = [pytest.mark.stress, fast]

FULL, FEW = 10_000, 60
SHAPE = preset("nano-bus").shape
STEPS = 2
CODES = {SLVERR: SLAVE_ERROR, DECERR: DECODE_ERROR}
WRITE_CODES = {SLVERR: WRITE_SLAVE_ERROR, DECERR: WRITE_DECODE_ERROR}
# preset; memories of the session, and which of them; what is counted, and fails; the codes
PLACES = {
    "tape": ("nano-bus", "memories", 0, "made", "faults", CODES),
    "row": ("nano-bus", "memories", 1, "made", "faults", CODES),
    "cache, read": ("nano-kv", "caches", 0, "made", "faults", CODES),
    "cache, written": ("nano-kv", "caches", 0, "offered", "write_faults", WRITE_CODES),
}
AHEAD = 4000  # cycles in which all is read ahead that there is room for
PATIENCE = 20_000  # cycles of a story of so many positions, before the slowest of these memories


def behaviour(rng) -> dict:
    """Any memory: quick, slow, mixed, with pauses of every kind."""
    low = rng.choice((1, rng.randint(1, 80)))
    return dict(
        latency=(low, low + rng.choice((0, rng.randint(0, 60)))),
        stalls=dict(ar=rng.choice((0.0, rng.random() / 2)), r=rng.choice((0.0, rng.random() / 3))),
        refresh=rng.choice((None, (rng.randint(100, 400), rng.randint(1, 40)))),
        interleaved=rng.random() < 0.5,
    )


class Models:
    """Random models, and what each says to tokens that are told on from."""

    def __init__(self, count: int, build):
        weights = [quantise_checkpoint(random_checkpoint(SHAPE, seed), gptq=False) for seed in range(count)]
        self.images = [(boot_image(w, build), memory_image(w, build)) for w in weights]
        self.beats = {}
        for number, golden in enumerate(FixedModel(w, build) for w in weights):
            told = {token: list(golden.decode(Request((token,), STEPS))) for token in range(SHAPE.vocab_size)}
            self.beats |= {(number, token): beats for token, beats in told.items() if len(beats) == STEPS}


@pytest.mark.parametrize("place", PLACES)
def test_a_memory_that_fails_at_any_beat(place):
    """At one of those of a short story or read ahead of it. The sequence stops, or had all that it needed and is right;
    either way the code is there. Behind the next boot all is well."""
    name, where, which, number, faults, codes = PLACES[place]
    build = preset(name).build
    rng, count, models, seen, compared = draws("bus faults"), trials(FULL, FEW), Models(3, build), Counter(), 0
    stories = list(models.beats)
    with Session(build) as session:
        memory, every = getattr(session, where)[which], [*session.memories, *session.caches]

        def right(model, token):
            session._patience = PATIENCE
            found = [beat_of(beat) for beat in session.generate([token], STEPS, score=True)]
            assert found == models.beats[model, token]

        for each in every:
            each.behave(latency=(1, 1), refresh=None)
        assert session.boot(*models.images[0]) == NONE
        begin = memory.seen(number)
        right(*stories[0])
        beats = memory.seen(number) - begin
        for _ in range(count):
            (model, token), answer = rng.choice(stories), rng.choice(list(CODES))
            for each in every:
                each.behave(**behaviour(rng))
            asked = memory.seen(number) + rng.randrange(beats)
            memory.behave(**{faults: {asked: answer}})
            stopped = False
            if session.boot(*models.images[model]) == NONE:
                try:
                    right(model, token)
                except SimulationError as error:
                    assert str(error) == f"the decoder has stopped: {MEANING[codes[answer]]}"
                    stopped = True
                else:
                    session._pass(AHEAD)
            assert memory.seen(number) > asked and session.sim.get("error") == codes[answer]
            assert stopped or place != "row"  # none is read ahead
            seen[answer, stopped] += 1
            memory.behave(**{faults: {}})
            model, token = rng.choice(stories)
            assert session.boot(*models.images[model]) == NONE
            right(model, token)
            compared += STEPS
    record("compared", where=f"tokens, {place}", values=compared)
    assert seen.total() == count and all(seen[answer, True] > count / 4 for answer in CODES)
