"""Tests on mutants of a skid buffer: faults that are seen, one that is not, simulations that hang, nothing planted."""

import pytest

from llama2_myhdl.mutation import trial
from llama2_myhdl.mutation.places import Place
from llama2_myhdl.mutation.trial import HUNG, KILLED, REFUSED, SURVIVED, TrialError, Trials

TEST, NOTHING = "tb/stream/test_skid.py::test_skid[icarus]", "tb/mutation/asserts_nothing.py::test_skid"
ADVANCE = "assign advance = m_ready || !m_valid;"
FAULT = Place("handshake", ADVANCE, 0, 17, "m_ready || !m_valid", "m_ready")
NO_FAULT = Place("handshake", ADVANCE, 0, 17, "m_ready || !m_valid", "!m_valid || m_ready")
NO_VERILOG = Place("operator", ADVANCE, 0, 25, "||", "|||")
LOOP = Place("reset", "full <= 1'b0;", 0, 0, "full <= 1'b0;", "forever full = 1'b0;")


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    with pytest.MonkeyPatch.context() as here:
        here.setenv("SIM", trial.SIM)  # Trials set it, and it is not to stay
        yield Trials(tmp_path_factory.mktemp("trials"))


def test_a_fault_is_seen_by_the_test_of_the_block(trials):
    outcome = trials.run("skid", FAULT, [TEST], 1)
    assert (outcome.verdict, outcome.test) == (KILLED, TEST)
    assert 0 < outcome.seconds < 10


def test_a_fault_survives_a_test_that_asserts_nothing(trials):
    """And the next test sees it."""
    assert trials.run("skid", FAULT, [NOTHING], 1).verdict == SURVIVED
    outcome = trials.run("skid", FAULT, [NOTHING, TEST], 1)
    assert (outcome.verdict, outcome.test) == (KILLED, TEST)


def test_what_is_no_fault_survives(trials):
    """So what kills is the fault and not the way in which it is planted; a fault of another block is none here."""
    assert trials.run("skid", NO_FAULT, [TEST], 1).verdict == SURVIVED
    assert trials.run("spill", FAULT, [TEST], 1).verdict == SURVIVED


def test_what_does_not_compile_is_not_killed(trials):
    assert trials.run("skid", NO_VERILOG, [TEST], 1).verdict == REFUSED


def test_a_simulation_that_hangs_is_ended(trials, monkeypatch):
    monkeypatch.setattr(trial, "LEAST_SECONDS", 1)
    assert trials.run("skid", LOOP, [NOTHING], 0).verdict == HUNG


def test_a_test_that_is_not_there_is_no_verdict(trials):
    with pytest.raises(TrialError):
        trials.run("skid", FAULT, ["tb/stream/test_skid.py::test_nonsense"], 1)
