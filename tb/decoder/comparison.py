"""Random models for the whole decoder, and what it says held against the integer model."""

import numpy as np

from llama2_myhdl.sim.session import TOKEN_FIELDS
from llama2_myhdl.sim.taps import split
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.weights.tape import write_tape
from tb.decoder.loop_model import sequence
from tb.sim.models import random_model

# head ratios, classifier and hidden size that differ from the build's own
NANO_SHAPES = {
    "nano": (preset("nano").shape, True),
    "equal heads, untied": (ModelShape(8, 22, 1, 2, 2, 29, 12), False),
    "one key head": (ModelShape(16, 9, 2, 4, 1, 32, 16), True),
}


def model(shape, shared, seed, build, tmp_path):
    """A random model: its golden model and its tape file."""
    golden, tape = random_model(seed, build, shape, shared)
    path = tmp_path / f"{seed}.tape"
    write_tape(path, tape)
    return golden, str(path)


def compare(golden, job, outcome):
    """Every value of every tap, and every field of every token beat to the last; returns how many tap values."""
    assert outcome.boot in (None, errors.NONE)
    expected, compared = list(sequence(golden, job)), 0
    assert len(outcome.tokens) == len(expected)
    assert sorted(outcome.taps) == [pos for pos in sorted(job.taps) if pos < len(expected)]
    for pos, (taps, _) in enumerate(expected):
        if pos in job.taps:
            seen = split(outcome.taps[pos], golden.shape)
            assert seen.keys() == taps.keys()
            for key, values in taps.items():
                assert np.array_equal(seen[key], values), (key, pos)
                compared += values.size
    assert [{name: beat[name] for name in TOKEN_FIELDS} for beat in outcome.tokens] == [beat for _, beat in expected]
    return compared


def tap_values(shape):
    """Number of values of all taps of one token."""
    return shape.n_layers * (2 * shape.kv_dim + 4 * shape.dim + shape.hidden_dim) + shape.vocab_size
