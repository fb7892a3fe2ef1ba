"""The whole flow on small Verilog: what it counts, and that each of its checks can fail."""

import json

import pytest

from llama2_myhdl.syn import stored, synth, tools, yosys
from llama2_myhdl.syn.subjects import ROOT, Sources, Subject, of_block
from llama2_myhdl.syn.targets import ECP5, TARGETS, XILINX
from llama2_myhdl.syn.wrapper import ports, wrap

CHECK = """
3. Executing CHECK pass (checking for obvious problems).
Checking module top...
Warning: found logic loop in module top:
    cell $and$t.v:5$1 ($and)
Found and reported 1 problems.
"""
MODULE = """
module {top} (
    input  wire        clk,
    input  wire [7:0]  address,
    input  wire        we,
    input  wire [7:0]  data,
    output reg  [7:0]  found
);
{body}
endmodule
"""
RAM = """reg [7:0] words [0:255];
always @(posedge clk) begin
    found <= words[address];
    if (we) words[address] <= data;
end"""
DEEP = """(* ram_style = "block" *) reg [63:0] words [0:8191];
reg [63:0] wide;
always @* found = ^wide;
always @(posedge clk) begin
    wide <= words[{address, address[4:0]}];
    if (we) words[{address, data[4:0]}] <= {8{data}};
end"""
BLOCK = '(* ram_style = "block" *) ' + RAM
FAULTS = {
    "in flip-flops": RAM.replace("found <= words[address];", "found <= words[address] + words[data] + words[~address];")
    .replace("if (we) words[address] <= data;", "if (we) begin words[address] <= data; words[data] <= address; end"),
    "loop": "wire [7:0] a;\nassign a = we ? (a ^ address) : data;\nalways @(posedge clk) found <= a;",
}  # fmt: skip
LATCH = "reg [7:0] held;\nalways @* if (we) held = data;\nalways @(posedge clk) found <= held;"


def test_problems_of_the_check_are_read():
    assert yosys.problems("Found and reported 0 problems.") == []
    assert yosys.problems(CHECK) == ["found logic loop in module top:"]
    with pytest.raises(tools.ToolError, match="check"):
        yosys.problems("")


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_memories_are_dumped_whole_and_before_they_are_mapped(target):
    sources = Sources(ROOT, ("a.v", "b.v"), "b", "0")
    commands = yosys.script(sources, target).split("; ")
    dump = next(k for k, command in enumerate(commands) if command.startswith("dump"))
    assert commands[0] == "read_verilog a.v b.v"
    before = [f"{target.synth} -top b -run begin:{target.to_memories}", *target.policy]
    assert commands[dump - len(before) : dump] == before and f"{target.to_memories}:" in commands[dump + 1]


def test_every_column_of_a_part_is_counted():
    for target in TARGETS.values():
        for part, places in target.parts.items():
            assert set(places) <= set(target.columns), part


@pytest.fixture
def verilog(tmp_path, monkeypatch):
    """Synthesizes a body of MODULE in the working folder, as YoWASP sees no other below the temporary one."""

    def run(body, target=ECP5):
        text = MODULE.format(top="top", body=body)
        (tmp_path / "top.v").write_text(text)
        (tmp_path / "top_wrapped.v").write_text(wrap("top", ports(text, "top"), "top_wrapped"))
        sources = Sources(tmp_path, ("top.v", "top_wrapped.v"), "top_wrapped", str(hash(body)))
        monkeypatch.setattr(synth.subjects, "write_sources", lambda *_: sources)
        monkeypatch.setattr(synth.subjects, "ROOT", tmp_path)
        (tmp_path / f"top-{target.name}").mkdir(exist_ok=True)
        return synth.synthesize(Subject("top", "a test", None, {}), target, lambda *_: None)

    return run


@pytest.mark.syn
def test_a_ram_is_block_ram_alone(verilog):
    found = verilog(BLOCK)
    assert found.resources.total == {"LUT": 0, "carry": 0, "FF": 0, "LUT RAM": 0, "block RAM": 1, "DSP": 0}
    assert [(m.name, m.kind, m.fault()) for m in found.memories] == [("words", "block", "")]
    assert found.faults == []


@pytest.mark.syn
@pytest.mark.parametrize("fault", FAULTS)
def test_each_check_can_fail(verilog, fault):
    assert any(fault in said for said in verilog(FAULTS[fault]).faults)


@pytest.mark.syn
def test_a_latch_is_refused(verilog):
    """Yosys itself takes none for an ECP5."""
    with pytest.raises(tools.ToolError, match="Latch inferred for signal"):
        verilog(LATCH)
    assert any(said.startswith("a latch: ") for said in verilog(LATCH, XILINX).faults)


@pytest.mark.syn
def test_ultrascale_has_the_large_memories_in_ultra_ram(verilog):
    found = verilog(DEEP, XILINX)
    assert [(m.kind, m.cells) for m in found.memories] == [("ultra", {"URAM288": 2})]
    assert found.resources.total["UltraRAM"] == 2 and found.faults == []
    assert verilog(BLOCK, XILINX).resources.total["block RAM"] == 0.5


@pytest.mark.syn
def test_growth_beyond_the_stored_figures_is_a_failure(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stored, "FILE", tmp_path / "synth.json")
    assert synth.main(["skid", "--store"]) == 0
    assert synth.main(["skid"]) == 0
    kept = json.loads(stored.FILE.read_text())
    kept["skid/ecp5"]["resources"]["FF"] -= 10
    stored.FILE.write_text(json.dumps(kept))
    capsys.readouterr()
    assert synth.main(["skid"]) == synth.FAILED
    assert capsys.readouterr().err.splitlines()[-1].startswith("synth: FF: ")


@pytest.mark.syn
def test_a_block_maps_the_same_when_nothing_has_changed(monkeypatch):
    result = synth.synthesize(of_block("skid"), ECP5, lambda *_: None)
    monkeypatch.setattr(tools, "run", None)  # nothing is run again
    again = synth.synthesize(of_block("skid"), ECP5, lambda *_: None)
    assert again.figures() == result.figures()


@pytest.mark.parametrize(
    "arguments, words",
    [
        ([], "one of BLOCK and CONFIG must be given"),
        (["skid", "--config=small"], "one of BLOCK and CONFIG must be given"),
        (["skid", "--lanes=4"], "only with CONFIG"),
        (["--config=nonsense"], "must be one of"),
        (["--config=small", "--lanes=3"], "lanes: must be a power of two"),
        (["--config=small", "--engines=99"], "engines"),
    ],
)
def test_bad_input_is_one_line(arguments, words, capsys):
    assert synth.main(arguments) == synth.BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("synth: ") and words in line
