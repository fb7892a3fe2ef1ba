"""Slots that are left and used again while others are in flight, bad prompts among good ones, `clear` at any moment."""

from bisect import bisect_left
from collections import Counter

import pytest

from llama2_myhdl.spec import errors
from llama2_myhdl.spec.stops import STOP_ERROR
from tb.sim.models import random_model
from tb.stress.builds import MANY, fast
from tb.stress.crowd import Crowd, Restless
from tb.stress.effort import draws, trials
from tb.stress.jobs import BAD, GOOD, compare, is_misset, job, kinds_of, weight_beats

pytestmark = [pytest.mark.stress, fast]

FULL, FEW = 400, 30  # jobs a build
BAD_EVERY = 3  # one of so many is a bad one
CLEARS = 0.02  # of a clear at each moment: one in some 5,000 cycles, so that codes stand beside several beats


def mixed(rng, golden, build, count):
    """Jobs, and the kind of each: bad ones of each kind as often as of another, in random order."""
    bad = kinds_of(golden.shape, build)
    kinds = [GOOD if k % BAD_EVERY else bad[k // BAD_EVERY % len(bad)] for k in range(count)]
    rng.shuffle(kinds)
    return [job(rng, golden.shape, build, kind) for kind in kinds], kinds


def code_of(job, golden):
    """The error code that a job leaves, NONE for a good one."""
    if is_misset(job, golden.build.list_entries):
        return errors.BAD_SETTINGS
    if max(job.prompt) >= golden.shape.vocab_size:
        return errors.BAD_TOKEN
    return errors.TOO_LONG if len(job.prompt) > golden.shape.seq_len else errors.NONE


def codes(done, golden, cleared, offset):
    """The sticky code that stands beside every beat, in the order in which they passed: those seen, those expected.

    cleared: numbers of the edges with `clear`; offset: from the decoder's count of cycles to those numbers. A beat's
    code is there with the beat, an edge before it passes; an error that comes with a clear stays.
    """
    events = [(edge, 0, errors.NONE) for edge in cleared]
    seen = sorted((beat["cycles"] + offset, beat["error"]) for told in done for beat in told.beats)
    for told in done:
        last = told.beats[-1]
        if last["stop"] == STOP_ERROR:
            events.append((last["cycles"] + offset - 1, 1, code_of(told.job, golden)))
    events.sort()
    before = [bisect_left(events, (edge,)) for edge, _ in seen]
    return [code for _, code in seen], [events[k - 1][2] if k else errors.NONE for k in before]


@pytest.mark.parametrize("name", MANY)
def test_slots_are_used_again(name):
    """Each job in the slot that is free first: all its beats are those it has alone, whatever the others do."""
    build, shape = MANY[name].build, MANY[name].shape
    rng, count, seen = draws(f"slots {name}"), trials(FULL, FEW), Counter()
    golden, tape = random_model(61, build, shape)
    jobs, kinds = mixed(rng, golden, build, count)
    with Crowd(build) as session:
        session.sim = port = Restless(session.sim, rng, clears=CLEARS)
        assert session.boot(tape) == errors.NONE
        offset = session.sim.cycle - session.sim.get("cycles")
        done = session.tell(jobs)
        found, wanted = codes(done, golden, port.cleared, offset)
        assert found == wanted
        assert len(done) == count and compare(golden, done) == len(found) > count
        for told in done:
            seen[code_of(told.job, golden)] += 1
            assert (told.beats[-1]["stop"] == STOP_ERROR) == (code_of(told.job, golden) != errors.NONE)
        beats = [beat for told in done for beat in told.beats]
        assert session.counted("weights") == weight_beats(shape, build.lanes, beats)
    assert {code: seen[code] for code in BAD.values()} == {code: kinds.count(kind) for kind, code in BAD.items()}
    assert min(seen.values()) > 0 and set(found) >= {errors.NONE, *BAD.values()}
    assert len(port.cleared) > count // 3 and {told.job.seq for told in done} == set(range(build.sequences))


def test_a_wrong_code_is_seen():
    """Without its clears, or with beats that are later than they are, the error codes are others."""
    build, shape = MANY["E1"].build, MANY["E1"].shape
    rng = draws("codes")
    golden, tape = random_model(62, build, shape)
    with Crowd(build) as session:
        session.sim = port = Restless(session.sim, rng, clears=CLEARS)
        session.boot(tape)
        offset = session.sim.cycle - session.sim.get("cycles")
        done = session.tell(mixed(rng, golden, build, FEW)[0])
    found, wanted = codes(done, golden, port.cleared, offset)
    assert found == wanted
    found, wanted = codes(done, golden, [], offset)
    assert found != wanted
    moved = [codes(done, golden, port.cleared, offset + later) for later in (100, 300, 1000, 3000)]
    assert any(found != wanted for found, wanted in moved)


def test_a_wrong_beat_is_seen():
    """One field of one beat of one job, and a beat that does not come."""
    build, shape = MANY["E1"].build, MANY["E1"].shape
    rng = draws("beats")
    golden, tape = random_model(63, build, shape)
    with Crowd(build) as session:
        session.boot(tape)
        done = session.tell(mixed(rng, golden, build, 8)[0])
    assert compare(golden, done) > 8
    last = done[-1].beats.pop()
    with pytest.raises(AssertionError):
        compare(golden, done)
    for wrong in (dict(token=last["token"] ^ 1), dict(logprob=last["logprob"] + 1), dict(stop=last["stop"] ^ 1)):
        done[-1].beats.append(last | wrong)
        with pytest.raises(AssertionError):
            compare(golden, done)
        done[-1].beats.pop()
    done[-1].beats.append(last)
    assert compare(golden, done) > 8
