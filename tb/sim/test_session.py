"""A session says the same in every simulator, to the cycle; it is interactive; what goes wrong is one line."""

from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.golden.checkpoint import random_checkpoint
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.rtl import errors
from llama2_myhdl.rtl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.presets import preset
from llama2_myhdl.rtl.stream.stream import bit
from llama2_myhdl.sim.build import build as build_block
from llama2_myhdl.sim.jobs import Job, run
from llama2_myhdl.sim.native import NativeSimulator
from llama2_myhdl.sim.session import Session
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image, write_tape
from tb.hdl.test_check import MESSAGE, never_both
from tb.sim.simulators import SESSIONS

SHAPE = preset("nano").shape
BUILD = replace(preset("nano").build, sequences=4)
NATIVE = "verilator"
needs_native = pytest.mark.skipif(NATIVE not in SESSIONS, reason="SIM leaves Icarus alone")


@pytest.fixture(scope="module")
def weights():
    return quantise_checkpoint(random_checkpoint(SHAPE, 21), gptq=False)


@pytest.fixture(scope="module")
def tape(weights):
    return boot_image(weights, BUILD)


@pytest.fixture(scope="module")
def told(weights, tape, tmp_path_factory):
    """{simulator: outcomes} of the same jobs."""
    path = tmp_path_factory.mktemp("session") / "nano.tape"
    write_tape(path, tape)
    alone = [
        Job([5, 9, 4], 5, path, taps=(0, 1, 3)),
        Job([6, 7], 3, trace=True),
        Job([8, 9, 10, 11], 5, score=False),
    ]
    crowd = [
        Job([4, 5, 6], 5, seq=0, score=False),
        Job([7, SHAPE.vocab_size, 8], 5, seq=1, delay=37),
        Job([9] * 6, 0, seq=2, delay=500, gap=40),
        Job([3], 4, seq=3, delay=1),
    ]
    return {sim: run(BUILD, sim, [*alone, crowd]) for sim in SESSIONS}


def same(one, other):
    """Every beat in all fields, its cycle among them; taps; rows of the cycle table; counters of the group."""
    assert one.tokens == other.tokens
    assert one.taps.keys() == other.taps.keys()
    for pos, stations in one.taps.items():
        for a, b in zip(stations, other.taps[pos], strict=True):
            assert a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
    assert one.trace == other.trace
    assert one.start == other.start and one.finish == other.finish


def test_every_simulator_says_the_same(told):
    first, *others = told.values()
    assert [len(outcome.tokens) for outcome in first] == [5, 3, 5, 5, 2, SHAPE.seq_len, 4]
    assert len(first[0].taps) == 3 and len(first[1].trace) > 50
    for other in others:
        for a, b in zip(first, other, strict=True):
            same(a, b)


def test_the_comparison_can_fail(told):
    one = next(iter(told.values()))
    for name, wrong in (("tokens", one[0].tokens[:-1]), ("trace", []), ("finish", {})):
        if name == "trace":
            with pytest.raises(AssertionError):
                same(one[1], replace(one[1], trace=wrong))
            continue
        with pytest.raises(AssertionError):
            same(one[0], replace(one[0], **{name: wrong}))
    taps = {pos: [{name: values + 1 for name, values in station.items()} for station in stations]
            for pos, stations in one[0].taps.items()}  # fmt: skip
    with pytest.raises(AssertionError):
        same(one[0], replace(one[0], taps=taps))


@pytest.fixture
def session(tape):
    with Session(BUILD, SESSIONS[0]) as session:
        assert session.boot(tape) == errors.NONE
        yield session


def alone(weights, prompt, steps):
    """The tokens that the integer model says."""
    predictions = []
    list(FixedModel(weights, BUILD).generate(prompt, steps, (1, 2), predictions))
    return predictions


def test_sequences_are_read_in_turn_and_join_while_others_run(session, weights):
    a = session.generate([5, 9], 6, seq=0, score=True)
    first = next(a)["token"]
    b = session.generate([4, 7, 8], 5, seq=3, score=True)
    told = [[first], []]
    for _ in range(20):
        for tokens, sequence in zip(told, (a, b)):
            tokens += [beat["token"] for beat in [next(sequence, None)] if beat]
    assert told == [alone(weights, [5, 9], 6), alone(weights, [4, 7, 8], 5)]
    assert a.ended and b.ended
    again = [beat["token"] for beat in session.generate([5, 9], 6, seq=3, score=True)]
    assert again == told[0]


def test_counters_count(session):
    before = session.counters()
    list(session.generate([5], 3, score=True))
    after = session.counters()
    weights = after["counters"][0]["weights"] - before["counters"][0]["weights"]
    assert weights == 3 * SHAPE.beats(BUILD.lanes) and after["cycles"] > before["cycles"]


def test_slots_are_checked(session):
    session.generate([5], 3, seq=1)
    with pytest.raises(SimulationError, match="slot 1: a sequence is running"):
        session.generate([5], 3, seq=1)
    with pytest.raises(SimulationError, match="slot: must be 0 to 3, is 4"):
        session.generate([5], 3, seq=4)


def test_an_unknown_simulator_is_refused():
    with pytest.raises(SimulationError, match="simulator: must be one of verilator, icarus, .*, is 'questa'"):
        Session(BUILD, "questa")


def test_a_refused_image_and_a_good_one_behind_it(session, weights, tape):
    other = boot_image(weights, replace(BUILD, min_hidden_block=16))
    assert session.boot(other) == errors.BAD_IMAGE
    assert session.boot(tape) == errors.NONE
    assert len(list(session.generate([5], 3))) == 3


def test_the_watchdog(session):
    session._patience = 50  # cycles, where a token takes more than a thousand
    with pytest.raises(SimulationError, match="no token for 50 cycles: the decoder is stuck"):
        list(session.generate([5], 3))


@hblock
def watched(clk, rst, a, b):
    """`never_both` under another name: a build as a library."""
    child = never_both(clk, rst, a, b)
    return child


@needs_native
def test_a_live_check_is_one_line_and_the_process_lives_on():
    built = build_block(watched, dict(clk=bit(), rst=bit(), a=bit(), b=bit()), "verilator", library=True)
    with NativeSimulator(built.file, built.top) as simulator:
        simulator.set(rst=1, a=0, b=1)
        simulator.run(4)
        simulator.set(rst=0)
        simulator.run(100)
        simulator.set(a=1)
        with pytest.raises(SimulationError, match=rf"ended the simulation: .*u_watch: {MESSAGE}$") as caught:
            simulator.run(100)
        assert "\n" not in str(caught.value)
    with NativeSimulator(built.file, built.top) as simulator:
        simulator.set(rst=1, a=1, b=1)
        simulator.run(100)  # a reset keeps it quiet
        assert simulator.cycle == 100
