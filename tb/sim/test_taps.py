"""Taps: the tensors of every stage, cut by position and sorted by name and layer."""

import numpy as np
import pytest

from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.sim.session import Session
from llama2_myhdl.sim.taps import split
from tb.sim.models import BUILD, SHAPE, random_model

GOLDEN, TAPE = random_model(41)


def taps_of(prompt):
    """The integer model's taps at every position of a prompt."""
    GOLDEN.reset()
    found = []
    for pos, token in enumerate(prompt):
        found.append({})
        GOLDEN.forward(token, pos, found[-1])
    return found


def same(seen, expected) -> bool:
    return seen.keys() == expected.keys() and all(np.array_equal(seen[key], expected[key]) for key in seen)


@pytest.mark.long_runs(0)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_positions_are_told_apart(sim):
    """What was tapped since the last `tap`, position by position; nothing of what ran before it or behind its end."""
    with Session(BUILD, sim) as session:
        session.boot(TAPE)
        list(session.generate([3], 1))
        for prompt in ([5, 9, 4], [4, 6]):
            session.tap(True)
            list(session.generate(prompt, len(prompt), score=True))
            seen = {pos: split(records, SHAPE) for (seq, pos), records in session.tapped().items() if seq == 0}
            expected = taps_of(prompt)
            assert sorted(seen) == list(range(len(prompt)))
            assert all(same(seen[pos], expected[pos]) for pos in seen)
            assert not same(seen[0], expected[1])
            session.tap(False)
            list(session.generate([7], 1))
            assert session.tapped() == {}


@pytest.mark.long_runs(0)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_sequences_are_told_apart(sim):
    """Two side by side have the taps that they have alone."""
    with Session(BUILD, sim) as session:
        session.boot(TAPE)
        session.tap(True)
        prompts = {1: [5, 9, 4], 3: [4, 6]}
        sequences = [session.generate(prompt, len(prompt), seq, True) for seq, prompt in prompts.items()]
        assert all([list(sequence) for sequence in sequences])
        seen = session.tapped()
    assert sorted(seen) == [(1, 0), (1, 1), (1, 2), (3, 0), (3, 1)]
    for seq, prompt in prompts.items():
        assert all(same(split(seen[seq, pos], SHAPE), taps) for pos, taps in enumerate(taps_of(prompt)))


@pytest.fixture(scope="module")
def records():
    with Session(BUILD, SIMULATORS[-1]) as session:
        session.boot(TAPE)
        session.tap(True)
        list(session.generate([5], 1, score=True))
        return session.tapped()[0, 0]


def test_values_are_signed(records):
    assert any((values < 0).any() for values in records[0].values())
    assert all(values.dtype == np.int64 for values in records[0].values())


@pytest.mark.parametrize("stream", ["x", "turned", "value_row", "attended", "gated", "logit"])
def test_a_value_too_few_is_seen(records, stream):
    (record,) = records
    size = len(record[stream])
    with pytest.raises(ValueError, match=f"^stream {stream}: must carry {size} values a token, carried {size - 1}$"):
        split([record | {stream: record[stream][:-1]}], SHAPE)
