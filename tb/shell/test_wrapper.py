"""The wrapper for place-and-route: every port found, every bit connected, accepted by Icarus, and transparent."""

import subprocess

import pytest

from llama2_myhdl.syn.wrapper import Port, WrapperError, ports, wrap

ADD = """
module add (
    input  wire              clk,
    input  wire signed [7:0] a,
    input  wire              b,
    output wire        [8:0] q
);
assign q = {a[7], a} + b;
endmodule
"""
BENCH = """
module bench;
  reg clk = 0, ld = 0, si = 0; wire so; integer k; reg [8:0] word = {1'b1, 8'd77}, got = 0;
  add_wrapped dut (.clk(clk), .ld(ld), .si(si), .so(so));
  task tick; begin #1 clk = 1; #1 clk = 0; end endtask
  initial begin
    for (k = 8; k >= 0; k = k - 1) begin si = word[k]; tick; end
    ld = 1; tick; tick; tick; ld = 0;
    for (k = 0; k < 9; k = k + 1) begin got = {got[7:0], so}; tick; end
    $display("%0d", got); $finish;
  end
endmodule
"""


def test_ports_of_converted_verilog():
    assert ports(ADD, "add") == [
        Port("clk", "input", 1),
        Port("a", "input", 8),
        Port("b", "input", 1),
        Port("q", "output", 9),
    ]


def test_wrapped_module_computes_the_same(tmp_path):
    source = tmp_path / "all.v"
    source.write_text(ADD + wrap("add", ports(ADD, "add"), "add_wrapped") + BENCH)
    compiler = ["iverilog", "-g2005", "-Wall", "-s", "bench", "-o", "all.vvp"]
    subprocess.run([*compiler, source.name], cwd=tmp_path, check=True)
    said = subprocess.run(["vvp", "-n", "all.vvp"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert said.split() == ["78"]


@pytest.mark.parametrize(
    "text, message",
    [("", "no module add"), (ADD.replace("clk", "ck"), "no port clk"), (ADD.replace("output", "input"), "0 bits")],
)
def test_unusable_module_is_refused(text, message):
    with pytest.raises(WrapperError, match=message):
        wrap("add", ports(text, "add"), "add_wrapped")
