"""The session: the same answers in the same cycles from every simulator, and its use by hand."""

from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.sim import session as sessions
from llama2_myhdl.sim.jobs import Job, run
from llama2_myhdl.sim.session import TOKEN_FIELDS, Session
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.counters import COUNTERS
from llama2_myhdl.spec.stops import STOP_ERROR
from llama2_myhdl.weights.tape import write_tape
from tb.decoder.loop_model import sequence
from tb.sim.models import BUILD, SHAPE, random_model
from tb.sim.simulators import SESSIONS

FASTEST = SESSIONS[0]
BAD = SHAPE.vocab_size  # a token out of range
GOLDEN, TAPE = random_model(31)
OTHER = random_model(32)


def groups(tape, other):
    """Jobs alone and side by side: taps, the cycle table, delays, gaps, unscored prompts, bad tokens, two models."""
    return [
        [Job([5, 9, 4], 4, tape, taps=(0, 2, 3), trace=True)],
        [
            Job([3, 4], 3, trace=True, seq=2),
            Job([7, 8, 6], 4, score=False, seq=0, delay=700, gap=900),
            Job([6, BAD, 5], 4, seq=3, gap=3, delay=5),
            Job(6 * [9], 0, score=False, seq=1, delay=700, gap=40),  # to the end of the context
        ],
        [Job([4, 28], 2, taps=(1,))],
        [Job([5, 9], 2, other, trace=True), Job([6], 1, seq=1)],
        [Job([BAD], 2)],
        [Job([4] * (SHAPE.seq_len + 2), 2)],
    ]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tapes")
    write_tape(folder / "a.tape", TAPE)
    write_tape(folder / "b.tape", OTHER[1])
    return groups(folder / "a.tape", folder / "b.tape")


@pytest.fixture(scope="module")
def expected(jobs):
    return run(BUILD, FASTEST, jobs)


def differences(one, other) -> list[str]:
    """Where two lists of outcomes differ: number of the job and name of the field, with all cycles and counters."""
    assert len(one) == len(other)
    found = []
    for number, (a, b) in enumerate(zip(one, other)):
        for name in ("boot", "start", "finish", "tokens", "trace"):
            if getattr(a, name) != getattr(b, name):
                found.append(f"{number} {name}")
        if a.taps.keys() != b.taps.keys() or any(not _same(a.taps[pos], b.taps[pos]) for pos in a.taps):
            found.append(f"{number} taps")
    return found


def _same(records, others) -> bool:
    return len(records) == len(others) and all(
        a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a) for a, b in zip(records, others)
    )


def test_the_jobs_say_what_the_integer_model_says(jobs, expected):
    flat = [job for group in jobs for job in group]
    goldens, compared = 6 * [GOLDEN] + 4 * [OTHER[0]], 0
    for golden, job, outcome in zip(goldens, flat, expected, strict=True):
        assert fields(outcome.tokens) == [beat for _, beat in sequence(golden, job)]
        compared += len(outcome.tokens)
    assert compared > 20
    assert expected[3].tokens[-1]["stop"] == STOP_ERROR and expected[3].tokens[-1]["token"] == BAD
    assert [outcome.boot for outcome in expected] == [0, *5 * [None], 0, 0, None, None]
    assert [sorted(outcome.taps) for outcome in expected] == [[0, 2, 3], *4 * [[]], [1], *4 * [[]]]
    assert [bool(outcome.trace) for outcome in expected] == [*5 * [True], False, True, True, False, False]


@pytest.mark.parametrize("sim", SESSIONS[1:])
def test_every_simulator_says_the_same(sim, jobs, expected):
    """All fields of all beats with their cycles, counters, taps and rows of the cycle table."""
    assert differences(run(BUILD, sim, jobs), expected) == []


def test_the_comparison_can_fail(jobs, expected):
    """One cycle, one field, one value, one row."""
    other = run(BUILD, FASTEST, jobs)
    assert differences(other, expected) == []
    other[1].tokens[0]["cycles"] += 1
    other[2].tokens[-1]["token"] ^= 1
    other[0].taps[2][0]["x"][5] ^= 1
    other[6].trace[3] = other[6].trace[3] | dict(stage="wait")  # its own rows and those of its neighbour
    other[8].finish["counters"][0]["weights"] += 1
    other[9].boot = 1
    found = ["0 taps", "1 tokens", "2 tokens", "6 trace", "7 trace", "8 finish", "9 boot"]
    assert differences(other, expected) == found


def told(prompt, steps, score=False, seq=0):
    """The beats of a sequence alone, by the integer model."""
    return [beat for _, beat in sequence(GOLDEN, Job(prompt, steps, score=score, seq=seq))]


def fields(beats):
    return [{name: beat[name] for name in TOKEN_FIELDS} for beat in beats]


@pytest.fixture
def session():
    with Session(BUILD, FASTEST) as running:
        assert running.boot(TAPE) == errors.NONE
        yield running


def test_two_sequences_in_turn(session):
    """Each gets its own beats, whoever is asked."""
    plans = [([5, 9, 4], 6, False, 1), ([7], 4, True, 3)]
    sequences = [session.generate(prompt, steps, seq, score) for prompt, steps, score, seq in plans]
    found = [[], []]
    while not all(s.ended for s in sequences):
        for beats, one in zip(found, sequences):
            beats += [beat for beat in [next(one, None)] if beat]
    for beats, one, plan in zip(found, sequences, plans):
        assert fields([*beats, *one]) == told(*plan)
        assert one.ended and next(one, None) is None


def test_one_starts_while_another_runs(session):
    first = session.generate([5, 6], 8, score=True)
    begun = [next(first), next(first)]
    second = session.generate([8, 9], 3, seq=2, score=True)
    assert fields(second) == told([8, 9], 3, True, 2)
    again = session.generate([8, 9], 3, seq=2, score=True)  # the slot is free again
    assert fields([*begun, *first]) == told([5, 6], 8, True)
    assert fields(again) == told([8, 9], 3, True, 2)


def test_a_taken_slot_and_one_that_is_not_there_are_refused(session):
    running = session.generate([5], 2, seq=1)
    with pytest.raises(SimulationError, match="^slot 1: a sequence is running in it$"):
        session.generate([6], 2, seq=1)
    for seq in (-1, BUILD.sequences):
        with pytest.raises(SimulationError, match=f"^slot: must be 0 to {BUILD.sequences - 1}, is {seq}$"):
            session.generate([6], 2, seq=seq)
    assert fields(running) == told([5], 2, seq=1)


def test_an_unknown_simulator_is_refused():
    with pytest.raises(SimulationError, match="^simulator: must be one of .*, is 'questa'$"):
        Session(BUILD, "questa")


def test_counters(session):
    """Of every station, by name; they count what passed, and reading them loses no token."""
    before = session.counters()
    assert [tuple(counts) for counts in before["counters"]] == [COUNTERS] * len(session.stations)
    assert list(session.generate([5, 6, 7], 5, score=True))
    after = session.counters()
    (old,), (new,) = before["counters"], after["counters"]
    assert new["tokens"] - old["tokens"] == 5
    assert new["weights"] - old["weights"] == 5 * SHAPE.beats(BUILD.lanes)
    assert after["cycles"] > before["cycles"] and after["error"] == errors.NONE
    running = session.generate([9], 6, score=True)
    counts = [next(running)]
    last = session.counters()
    while session.sim.get("m_token_pos") < 4:  # tokens come while the counters are read
        now = session.counters()
        assert 0 <= now["counters"][0]["tokens"] - last["counters"][0]["tokens"] <= 1
        assert now["counters"][0]["saturations"] >= last["counters"][0]["saturations"]
        last = now
    assert fields([*counts, *running]) == told([9], 6, True)


@pytest.mark.parametrize("sim", SESSIONS)
def test_an_image_of_another_build_is_refused_and_a_good_one_boots_behind_it(sim):
    other = random_model(31, replace(BUILD, min_hidden_block=2 * BUILD.min_hidden_block))[1]
    with Session(BUILD, sim) as session:
        assert session.boot(other) == errors.BAD_IMAGE
        assert session.boot(TAPE) == errors.NONE
        assert fields(session.generate([5], 1, score=True)) == told([5], 1, True)


@pytest.mark.long_runs(0)
@pytest.mark.parametrize("sim", SESSIONS)
def test_a_boot_ends_what_was_running(sim):
    """Sequences that were left with prompt tokens on their way and beats that nobody took: nothing of them comes."""
    with Session(BUILD, sim) as session:
        assert session.boot(TAPE) == errors.NONE
        left = [session.generate(4 * [6], 4, seq=seq) for seq in range(BUILD.sequences)]
        assert next(left[0])["pos"] == 0
        session.counters()
        assert session.boot(TAPE) == errors.NONE
        assert fields(session.generate([5, 9], 2, score=True)) == told([5, 9], 2, True)
        assert fields(session.generate([6], 1, seq=1, score=True)) == told([6], 1, True, 1)


@pytest.mark.parametrize("sim", SESSIONS)
def test_no_token_for_too_long_is_one_line(sim, monkeypatch):
    """With less patience than a token takes; a second sequence is not answered either, and the session closes."""
    with Session(BUILD, sim) as session:
        session.boot(TAPE)
        session._patience = 50
        for seq in (0, 1):
            with pytest.raises(SimulationError, match="^no token for 50 cycles: the decoder is stuck$"):
                next(session.generate([5], 1, seq=seq))
        session._patience = sessions.LEAST_PATIENCE
        assert fields(session.advance()) == told([5], 1)  # it was only slow


def test_an_image_that_is_not_taken_is_one_line(monkeypatch):
    monkeypatch.setattr(sessions, "LEAST_PATIENCE", -len(TAPE.beats) // 2)
    with Session(BUILD, FASTEST) as session:
        with pytest.raises(SimulationError, match=f"does not take the {len(TAPE.beats)} beats of its boot image"):
            session.boot(TAPE)
        monkeypatch.undo()
        assert session.boot(TAPE) == errors.NONE


def test_two_sessions_in_one_process(session):
    with Session(BUILD, FASTEST) as other:
        assert other.boot(TAPE) == errors.NONE
        one, two = session.generate([5], 3, score=True), other.generate([6], 3, score=True)
        pairs = list(zip(one, two, strict=True))
    assert [fields(beats) for beats in zip(*pairs)] == [told([5], 3, True), told([6], 3, True)]
