"""Conversion to hierarchical Verilog: same behaviour as flat, same bytes every time."""
import os
import subprocess
import sys

import myhdl
import pytest
from myhdl import always, always_comb, block

from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.hdl import hierarchy
from llama2_myhdl.hdl.hierarchy import HierarchyError, convert, hblock, tied
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from tb.hdl import design

CYCLES = 2000

COMPARE = """
module compare;
reg clk = 0, rst = 1;
reg [3:0] gain; reg signed [7:0] offset; reg enable; reg [2:0] spare; reg [31:0] data; reg valid, ready;
wire [66:0] flat, deep;
integer cycle, moved = 0, different = 0;
{flat} a (.clk(clk), .rst(rst), {pins}, .s_ready(flat[0]), .m_valid(flat[1]), .m_data(flat[33:2]),
          .history(flat[65:34]));
{deep} b (.clk(clk), .rst(rst), {pins}, .s_ready(deep[0]), .m_valid(deep[1]), .m_data(deep[33:2]),
          .history(deep[65:34]));
assign flat[66] = 0;
assign deep[66] = 0;
initial begin
    for (cycle = 0; cycle < {cycles}; cycle = cycle + 1) begin
        rst = cycle < 3;
        {{gain, offset, enable, spare, valid, ready}} = $random;
        data = $random;
        #1 if (flat !== deep) different = different + 1;
        if (flat[1] && ready && !rst) moved = moved + 1;
        clk = 1; #1 clk = 0; #1;
    end
    $display("moved %0d different %0d", moved, different);
end
endmodule
"""
PINS = (".control_settings_gain(gain), .control_settings_offset(offset), .control_enable(enable), "
        ".control_spare(spare), .s_data(data), .s_valid(valid), .m_ready(ready)")


def simulate(folder, flat, deep, sources):
    """Counts of transfers and of cycles in which two modules' outputs differ, by Icarus."""
    (folder / "compare.v").write_text(COMPARE.format(flat=flat, deep=deep, pins=PINS, cycles=CYCLES))
    command = ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", "compare", "-s", "compare", "compare.v", *sources]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert built.returncode == 0 and not built.stderr, built.stderr
    words = subprocess.run(["vvp", "-n", "compare"], cwd=folder, capture_output=True, text=True, check=True).stdout
    return tuple(int(word) for word in words.split()[1::2])


@pytest.fixture
def flat_and_deep(tmp_path):
    """Both conversions of the small design; returns (folder, source files)."""
    files = convert(design.machine, tmp_path, **design.ports())
    with pytest.warns(myhdl.ToVerilogWarning):  # constants and unused inputs, which the hierarchy states
        design.machine(**design.ports()).convert(hdl="Verilog", path=str(tmp_path), name="flat", testbench=False,
                                                 initial_values=False)
    return tmp_path, ["flat.v", *[module.file.name for module in files]]


def test_same_behaviour_as_flat(flat_and_deep):
    folder, sources = flat_and_deep
    moved, different = simulate(folder, "flat", "machine", sources)
    assert moved > CYCLES // 4
    assert different == 0


def test_comparison_can_fail(flat_and_deep):
    folder, sources = flat_and_deep
    lanes = folder / "lanes.v"
    lanes.write_text(lanes.read_text().replace("4'h9", "4'h8"))
    assert simulate(folder, "flat", "machine", sources)[1] > 0


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_same_bytes_in_every_process(tmp_path):
    first = convert(design.machine, tmp_path / "a", **design.ports())
    convert(fifo, tmp_path / "between", bit(), bit(), Stream(data=uint(8)), Stream(data=uint(8)))
    second = convert(design.machine, tmp_path / "b", **design.ports())
    code = ("import sys; from llama2_myhdl.hdl.hierarchy import convert; from tb.hdl import design; "
            "convert(design.machine, sys.argv[1], **design.ports())")
    for seed in "12":
        subprocess.run([sys.executable, "-c", code, tmp_path / seed], cwd=PROJECT, check=True,
                       env=os.environ | {"PYTHONHASHSEED": seed})
        assert contents(tmp_path / seed) == contents(tmp_path / "a")
    assert contents(tmp_path / "b") == contents(tmp_path / "a")
    assert [m.name for m in first] == [m.name for m in second]
    assert sorted(contents(tmp_path / "a")) == sorted(m.file.name for m in first)


def test_modules_and_instances(tmp_path):
    modules = convert(design.machine, tmp_path, **design.ports())
    names = [module.name for module in modules]
    assert names == ["scale", "register", "skid", "ram", "lanes", "stage_delayed0", "stage_delayed1", "chain",
                     "machine"]
    text = {module.name: module.file.read_text() for module in modules}
    assert "scale #(.SHIFT(1)) u_scaled_1 (" in text["lanes"]
    assert ".gain(4'h9)" in text["lanes"]
    assert "lanes u_summing (" in text["stage_delayed0"]
    assert ".s_data(links_1_data)" in text["chain"]
    assert '(* ram_style = "auto" *) reg [31:0] words_rdata [0:3];' in text["ram"]
    assert "date" not in " ".join(text.values()).lower()




def test_signals_given_to_convert_are_not_touched(tmp_path):
    ports = design.ports()
    convert(design.machine, tmp_path, **ports)
    assert ports["s"].ready._driven is None and ports["clk"]._name is None


@hblock
def crossed(s, m):
    (a, b), (x, y) = s, m

    @always_comb
    def cross():
        x.next = b
        y.next = a

    return cross


@hblock
def crossed_twice(s, m):
    between = Series(uint(4), uint(4))
    first_ = crossed(s, between)
    second = crossed(between, m)
    return first_, second


def test_a_series_is_a_port_of_each_and_a_trailing_underscore_no_part_of_a_name(tmp_path):
    pairs = [Series(uint(4), uint(4)) for _ in range(2)]
    assert len(pairs[0]) == 2 and list(pairs[0])[1] is pairs[0][1]
    modules = convert(crossed_twice, tmp_path, *pairs)
    text = modules[-1].file.read_text()
    assert [m.name for m in modules] == ["crossed", "crossed_twice"]
    assert "input  wire [3:0] s_1," in text and "output wire [3:0] m_0," in text
    assert "crossed u_first (" in text and "crossed u_second (" in text


def same_name(delay):
    @hblock
    def leaf(clk, a, y):
        @always(clk.posedge)
        def step():
            y.next = a + delay
        return step
    return leaf


@hblock
def closures(clk, a, y):
    mid = sint(8)
    leaves = [same_name(1)(clk, a, mid), same_name(2)(clk, mid, y)]
    return leaves


def test_two_blocks_of_one_name_are_refused(tmp_path):
    with pytest.raises(HierarchyError, match="pass what differs as a parameter"):
        convert(closures, tmp_path, bit(), sint(8), sint(8))


def test_negative_constant_and_plain_block_between(tmp_path):
    @hblock
    def add(clk, a, b, y):
        @always(clk.posedge)
        def step():
            y.next = a + b
        return step

    @block
    def between(clk, a, y):
        inner = add(clk, a, tied(sint(8, -3)), y)
        return inner

    @hblock
    def outer(clk, a, y):
        middle = between(clk, a, y)
        return middle

    modules = convert(outer, tmp_path, bit(), sint(8), sint(9))
    assert [m.name for m in modules] == ["add", "outer"]
    assert "add u_inner (" in modules[1].file.read_text()
    assert ".b(8'hfd)" in modules[1].file.read_text()


def test_unchanged_files_are_left_alone(tmp_path):
    files = [module.file for module in convert(design.machine, tmp_path, **design.ports())]
    before = [file.stat().st_mtime_ns for file in files]
    convert(design.machine, tmp_path, **design.ports())
    assert [file.stat().st_mtime_ns for file in files] == before


def test_myhdl_is_the_version_whose_private_names_are_used():
    assert myhdl.__version__ == hierarchy.MYHDL_VERSION
