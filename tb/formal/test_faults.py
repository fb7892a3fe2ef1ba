"""Each proof finds the faults that are planted for it, from reset and with waves that show it."""

import dataclasses

import pytest
from rich.console import Console

from llama2_myhdl.formal import bind
from llama2_myhdl.formal import prove as command
from llama2_myhdl.formal.proof import ROOT, Fault, prove, verilog
from llama2_myhdl.formal.proofs import PROOFS
from llama2_myhdl.formal.solver import BASE, COVER
from llama2_myhdl.sim.build import converted
from tb.formal.faults import FAULTS

BY_NAME = {proof.name: proof for proof in PROOFS}
EACH = [(name, number) for name, faults in FAULTS.items() for number in range(len(faults))]


def test_every_proof_has_a_fault():
    assert FAULTS.keys() == BY_NAME.keys()
    assert all(FAULTS.values())


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_its_place(name):
    """Also where nobody proves anything: a change of the block takes a fault's text away without a word."""
    block, arguments = BY_NAME[name].block()
    modules = converted(block, arguments)
    sound = verilog(BY_NAME[name], modules)
    for fault in FAULTS[name]:
        assert verilog(BY_NAME[name], modules, fault) != sound


@pytest.mark.syn
@pytest.mark.parametrize("name, number", EACH)
def test_fault_is_found(name, number):
    result = prove(BY_NAME[name], FAULTS[name][number], ROOT / "faults" / f"{name}-{number}")
    assert not result.passed
    assert result.failure.question == BASE
    assert result.failure.blamed
    assert result.failure.waves.stat().st_size


@pytest.mark.syn
def test_a_live_check_is_a_property():
    """Of a block inside: its instance is named."""
    fault = Fault("pair_queue", "assign too_many = push && (count == DEPTH);", "assign too_many = push && room;")
    result = prove(BY_NAME["pair_queue"], fault, ROOT / "faults" / "check")
    assert any("in u_check: " in line and "assert(!fault)" in line for line in result.failure.blamed)


@pytest.mark.syn
def test_what_can_never_happen_is_seen():
    """A block that never takes anything breaks no property but those that say so: a cover is not reached."""
    fault = Fault("pick", "assign s_prompt_ready = enable && !held;", "assign s_prompt_ready = 1'b0;")
    result = prove(BY_NAME["pick"], fault, ROOT / "faults" / "cover")
    assert result.failure.question == COVER
    assert any("cover(" in line for line in result.failure.blamed)


@pytest.mark.syn
def test_a_name_that_is_not_there_is_refused():
    fault = Fault("skid", "assign accept = s_valid && s_ready;", "assign accept = s_valid && s_redy;")
    with pytest.raises(ValueError, match="s_redy"):
        prove(BY_NAME["skid"], fault, ROOT / "faults" / "name")


@pytest.mark.syn
def test_a_failure_is_told(capsys):
    result = prove(BY_NAME["fifo-3"], FAULTS["fifo-3"][0], ROOT / "faults" / "told")
    command.explain(result, Console(width=150))
    told = capsys.readouterr().out
    assert "fifo-3: the base case fails" in told
    assert "assert(" in told
    assert "│ m_valid" in told
    assert str(result.failure.waves) in told


@pytest.mark.syn
def test_the_command_tells_a_proof(capsys):
    assert command.main(["credit"]) == 0
    told = capsys.readouterr().out
    assert "proved" in told
    assert "1 proofs, 0 failed" in told


@pytest.mark.syn
def test_assumptions_that_contradict_each_other_prove_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(bind, "PROPERTIES", tmp_path)
    (tmp_path / "never.v").write_text("always @* if (f_past) environment(!take && take);\n")
    proof = dataclasses.replace(BY_NAME["credit"], sets=dict(credit=("never",)))
    result = prove(proof, folder=ROOT / "faults" / "never")
    assert not result.passed
    (words,) = result.failure.blamed
    assert "contradict" in words
