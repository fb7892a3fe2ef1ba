"""The parts of a proof that need no solver: binding, faults, answers, waves, the command."""

import dataclasses
import json

import pytest

from llama2_myhdl.formal import bind, prove, solver, waves
from llama2_myhdl.formal.proof import Fault, Result, planted, verilog
from llama2_myhdl.formal.proofs import PROOFS
from llama2_myhdl.formal.solver import BASE, COVER, INDUCTION, Answer, read_answer
from llama2_myhdl.hdl.hierarchy import ModuleFile
from llama2_myhdl.syn import tools

MODULE = "module a (\n    input wire clk\n);\nassign x = y;\n\nendmodule\n`default_nettype wire\n"
PASSED = "##   0:00:00  Solver: yices\n##   0:00:00  Status: PASSED\n"
FAILED = """##   0:00:00  BMC failed!
##   0:00:00  Assert failed in llama_a: a.v:2.5-2.20 ($flatten/u_b./u_c.$assert$a.v:2$3)
##   0:00:00  Assert failed in llama_a: a.v:3.5-3.20 ($assert$a.v:3$4)
##   0:00:00  Status: FAILED
"""
VCD = """$var integer 32 t smt_step $end
$scope module top $end
$var wire 1 n0 a $end
$var wire 8 n1 f_b $end
$var wire 8 n3 m $end
$scope module u_child $end
$var wire 1 n2 hidden $end
$upscope $end
$upscope $end
$enddefinitions $end
#0
b0 n0
b00000001 n1
b00001010 n3
b0 n2
#5
b0 n9
#10
b1 n0
#15
#20
b0000001x n1
#30
"""


@pytest.fixture
def modules(tmp_path):
    """A top `a` and a child `b` as a conversion leaves them."""
    files = []
    for name in ("b", "a"):
        file = tmp_path / f"llama_{name}.v"
        file.write_text(MODULE)
        files.append(ModuleFile(f"llama_{name}", file, name))
    return files


def proof_of(**sets):
    return dataclasses.replace(PROOFS[0], sets={**sets, "a": ("ring",)}, constants={})


def test_properties_stand_in_front_of_the_end():
    assert bind.bound(MODULE, "wire f_x;").index("wire f_x;") < bind.bound(MODULE, "wire f_x;").index("endmodule")
    for wrong in ("", MODULE + MODULE):
        with pytest.raises(bind.BindError, match="one module"):
            bind.bound(wrong, "")


def test_the_environment_is_assumed_of_the_top_alone():
    """What is assumed alone is proved inside; reset and covers belong to the top."""
    alone, inside = (bind.properties(["ring"], {}, alone) for alone in (True, False))
    assert alone.count("assume(") == 3 and alone.count("cover(") == 2
    assert inside.count("assume(") == 0 and inside.count("cover(") == 0
    assert inside.count("assert(") == alone.count("assert(") + 2


def test_constants_are_parameters_or_places():
    text = bind.properties(["flight"], dict(F_WIDTH=4, F_INSIDE="u_x."), alone=True)
    assert "localparam F_WIDTH = 4;" in text
    assert "\\u_x.u_fifo.f_entries " in text and "F_INSIDE." not in text


@pytest.mark.parametrize("name", sorted({name for proof in PROOFS for sets in proof.sets.values() for name in sets}))
def test_every_file_says_what_it_is(name):
    text = (bind.PROPERTIES / f"{name}.v").read_text()
    assert text.startswith("// ") and "environment (" not in text


def test_no_file_is_forgotten():
    used = {name for proof in PROOFS for sets in proof.sets.values() for name in sets} | {bind.EVERYWHERE}
    assert used == {file.stem for file in bind.PROPERTIES.glob("*.v")}


def test_a_fault_is_one_place():
    assert planted("a b c", Fault("x", "b", "d")) == "a d c"
    for text in ("q", "a"):
        with pytest.raises(ValueError, match="stands there once"):
            planted("a b a", Fault("x", text, ""))


def test_a_block_that_is_not_there(modules):
    assert "f_past" in verilog(proof_of(), modules)["llama_a.v"]
    assert "f_past" not in verilog(proof_of(), modules)["llama_b.v"]
    assert "assert(" in verilog(proof_of(b=("ring",)), modules)["llama_b.v"]
    for proof, fault in ((proof_of(c=("ring",)), None), (proof_of(), Fault("c", "x", "y"))):
        with pytest.raises(ValueError, match="no block c"):
            verilog(proof, modules, fault)


def test_answers_are_read(tmp_path):
    (tmp_path / "a.v").write_text("line\n    assert(x);  // why\n    assert(y);\n")
    file = tmp_path / "base-case.vcd"
    assert read_answer(PASSED, BASE, file) == Answer(BASE, True)
    blamed = ("a.v:2 in u_b./u_c: assert(x);", "a.v:3: assert(y);")
    assert read_answer(FAILED, BASE, file) == Answer(BASE, False, blamed)
    file.write_text(VCD)
    assert read_answer(FAILED, BASE, file).waves == file
    unreached = FAILED.replace("Assert failed in", "Unreached cover statement at")
    assert read_answer(unreached, COVER, file).blamed == blamed
    contradiction = read_answer(PASSED.replace("PASSED", "PREUNSAT") + "Assumptions are unsatisfiable!", BASE, file)
    assert not contradiction.passed and "contradict" in contradiction.blamed[0]
    for nothing in ("", "##  Status: UNKNOWN"):
        with pytest.raises(tools.ToolError, match="no answer"):
            read_answer(nothing, INDUCTION, file)


def test_freed_blocks_are_cut_before_all_is_flat():
    script = solver.model_script(["a.v"], "top", True, ("lane",))
    assert script.index("cutpoint */t:*lane") < script.index("flatten") < script.index("delete -port")
    assert "cutpoint" not in solver.model_script(["a.v"], "top", False)


def test_waves_are_read_by_cycle(tmp_path):
    file = tmp_path / "x.vcd"
    file.write_text(VCD)
    unknown = "0000001x"
    assert waves.read(file) == [
        dict(a="0", f_b="00000001", m="00001010"),
        dict(a="1", f_b="00000001", m="00001010"),
        dict(a="1", f_b=unknown, m="00001010"),
    ]
    shown = waves.table(file, 3)
    assert [list(column.cells) for column in shown.columns] == [["a", "f_b"], ["0", "1"], ["1", "1"], ["1", unknown]]
    assert len(waves.table(file, 1).columns) == 2


def test_a_block_is_chosen_with_all_its_proofs():
    assert [proof.name for proof in prove.chosen("fifo")] == ["fifo-1", "fifo-3", "fifo-4"]
    assert [proof.name for proof in prove.chosen("fifo-3")] == ["fifo-3"]
    assert len(prove.chosen(None)) == len(PROOFS)


def test_an_unknown_block_is_one_line(capsys):
    assert prove.main(["nonsense"]) == prove.BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("formal: no proof of BLOCK 'nonsense'; known: activation_buffer, ")


def test_a_failed_proof_is_exit_status_1(monkeypatch, capsys, tmp_path):
    file = tmp_path / "base-case.vcd"
    file.write_text(VCD)
    answers = (Answer(BASE, False, ("a.v:2: assert(x);",), file),)
    monkeypatch.setattr(prove, "prove", lambda proof: Result(proof, tmp_path, answers, 1.0))
    assert prove.main(["skid"]) == prove.FAILED
    told = capsys.readouterr().out
    assert "FAILED: base case" in told and "a.v:2: assert(x);" in told and f"waves: {file}" in told


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """The file of stored results; proofs say what they are told to, and the documents stay as they are."""
    file, written = tmp_path / "proofs.json", []
    monkeypatch.setattr(prove, "JSON", file)
    monkeypatch.setattr(prove.plan, "write", lambda: written.append(file.exists()))

    def run(passed, *arguments):
        result = (Answer(BASE, passed),)
        monkeypatch.setattr(prove, "prove", lambda proof: Result(proof, tmp_path, result, 1.0))
        status = prove.main(arguments)
        return status, json.loads(file.read_text()) if file.exists() else None, written

    return run


def test_what_all_proofs_have_come_to_is_stored(kept):
    status, stored, written = kept(True, "--store")
    assert status == 0 and written == [True]
    assert [entry["name"] for entry in stored] == [proof.name for proof in PROOFS]
    assert stored[0] == dict(name=PROOFS[0].name, block=PROOFS[0].top, properties=list(PROOFS[0].sets[PROOFS[0].top]),
                             mode=PROOFS[0].mode, cycles=PROOFS[0].depth, result="proved")  # fmt: skip
    assert {entry["result"] for entry in stored} == {"proved", "holds"}


@pytest.mark.parametrize("passed, arguments", [(False, ["--store"]), (True, [])])
def test_a_failed_proof_is_not_stored_and_nothing_unasked(passed, arguments, kept):
    assert kept(passed, *arguments)[1:] == (None, [])


def test_one_block_is_not_all_that_is_stored(kept, capsys):
    with pytest.raises(SystemExit):
        kept(True, "--store", "skid")
    assert capsys.readouterr().err == "formal: STORE: is of all proofs, not of one BLOCK\n"


def test_the_stored_proofs_are_those_that_there_are():
    """Or none are stored."""
    stored = [entry["name"] for entry in json.loads(prove.JSON.read_text())]
    assert stored in ([], [proof.name for proof in PROOFS])
