"""The lint: each reader can object, and the registered blocks pass all of them."""

import pytest

from llama2_myhdl.syn import blocks, lint, pnr, synth, tools

CLEAN = "module top (input clk, input a, output reg q);\n  always @(posedge clk) q <= a;\nendmodule\n"


@pytest.mark.parametrize(
    "reader, text, complaint",
    [
        (lint.verilator, CLEAN.replace("q <= a", "q <= 1'b0"), "Signal is not used: 'a'"),
        (lint.icarus, CLEAN.replace("q <= a", "q <= missing"), "missing"),
        pytest.param(lint.yosys, CLEAN.replace("endmodule", "child u ();\nendmodule"), "child", marks=pytest.mark.syn),
    ],
)
def test_reader_accepts_clean_verilog_and_objects_to_a_fault(reader, text, complaint, tmp_path):
    (tmp_path / "top.v").write_text(CLEAN)
    reader(tmp_path, ["top.v"], "top")
    (tmp_path / "top.v").write_text(text)
    with pytest.raises(tools.ToolError, match=complaint):
        reader(tmp_path, ["top.v"], "top")


def test_every_waiver_gives_its_reason():
    lines = lint.WAIVERS.read_text().splitlines()
    waivers = [line for line in lines if line.startswith("lint_off")]
    assert waivers
    assert all(line.partition("//")[2].strip() for line in waivers)


@pytest.mark.parametrize("main", [lint.main, synth.main, pnr.main], ids=["lint", "synth", "pnr"])
def test_unknown_block_is_refused_with_the_known_ones(main, capsys):
    assert main(["nonsense"]) != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "unknown BLOCK 'nonsense'" in line
    assert all(name in line for name in blocks.UNITS)


@pytest.mark.syn
@pytest.mark.parametrize("name", sorted(blocks.UNITS))
def test_registered_block_is_clean(name):
    assert lint.lint(name) == []
