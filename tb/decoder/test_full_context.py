"""A context that is filled to its last place, with tokens from the whole vocabulary: the numbers that short tests leave
at zero. The machine is nano's, so that 512 positions are simulated in seconds."""

import random
from dataclasses import replace

import pytest

from llama2_myhdl.sim.jobs import Job, run
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.stops import STOP_CONTEXT, STOP_ERROR, STOP_STEPS
from tb.decoder.comparison import compare, model

CONTEXT = VOCAB = 512
WIDEST = 2 * VOCAB - 1  # the largest number that a token's bits hold, and those of a count of positions
ALL_STOPS = (WIDEST, VOCAB, WIDEST - 1, VOCAB - 1)


def long_story(rng: random.Random) -> list[int]:
    """A prompt that leaves room for the last two positions' samples, with every bit of a token up and down."""
    return [rng.randrange(3, VOCAB) for _ in range(CONTEXT - 2)]


@pytest.mark.skipif("verilator" not in SIMULATORS, reason="a context of 512 is run in Verilator")
def test_a_context_filled_to_its_last_place(tmp_path):
    """A story of 512 positions, stops, steps and limits of ten bits, a token out of range with all its bits up; before
    and behind it another model, one smaller in all of these."""
    rng = random.Random(2)
    build = replace(preset("nano").build, max_seq=CONTEXT, max_vocab=VOCAB, engines=2)
    full, full_tape = model(ModelShape(8, 12, 2, 2, 1, VOCAB, CONTEXT), True, 21, build, tmp_path)
    less, less_tape = model(ModelShape(16, 9, 2, 4, 2, VOCAB - 1, CONTEXT - 1), True, 22, build, tmp_path)
    wide, none = dict(stops=ALL_STOPS, new_tokens=WIDEST), dict(stops=(0, 0, 0, 0), new_tokens=0)
    ends = [  # a model and its job, its number of positions, stop and error
        (less, Job(long_story(rng)[:9], 8, less_tape, wishes=wide), 8, STOP_STEPS, errors.NONE),
        (full, Job(long_story(rng), 0, full_tape, score=False, wishes=wide), CONTEXT, STOP_CONTEXT, errors.NONE),
        (full, Job([3, VOCAB - 1, WIDEST], 0, wishes=none), 3, STOP_ERROR, errors.BAD_TOKEN),
        (full, Job([VOCAB - 2, 3], WIDEST, wishes=none | dict(new_tokens=1)), 2, STOP_STEPS, errors.NONE),
        (less, Job(long_story(rng)[:9], 8, less_tape, wishes=none), 8, STOP_STEPS, errors.NONE),
    ]
    outcomes = run(build, "verilator", [job for _, job, *_ in ends])
    for (golden, job, positions, stop, error), outcome in zip(ends, outcomes, strict=True):
        compare(golden, job, outcome)
        assert len(outcome.tokens) == positions
        assert (outcome.tokens[-1]["stop"], outcome.finish["error"]) == (stop, error)
    assert outcomes[1].tokens[-1]["pos"] == CONTEXT - 1
