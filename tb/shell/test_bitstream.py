"""The way to a board: pins and ports agree, the reset around the top, the PLL's real clock, and what flash says."""

import os
import re
import subprocess
from fractions import Fraction

import pytest

from llama2_myhdl.hdl.ports import bind, port_dict
from llama2_myhdl.rtl.board.board import board, ports
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.syn import bitstream

TOP = (bitstream.PINS / "ulx3s.v").read_text()
PINS = (bitstream.PINS / "ulx3s.lpf").read_text()
SITES = {
    "clk_25mhz": "G2", "ftdi_rxd": "L4", "ftdi_txd": "M1", "btn_pwr": "D6", "wifi_gpio0": "L2",
    "flash_csn": "R2", "flash_mosi": "W2", "flash_miso": "V2", "flash_wpn": "Y2", "flash_holdn": "W1",
    **{f"led[{k}]": site for k, site in enumerate("B2 C2 C1 D2 D1 E2 E1 H3".split())},
}  # fmt: skip
STUBS = """
module pll (input clkin, output clkout0, output locked);
    assign clkout0 = clkin;
    assign locked = ulx3s_tb.lock;
endmodule
module USRMCLK (input USRMCLKI, input USRMCLKTS);
endmodule
module llama_board (input clk, input rst, input rxd, output txd, output cs_n, output sck, output mosi, input miso,
    output [7:0] led);
    assign {cs_n, sck, mosi} = {3{miso}};
    assign txd = !rxd;
    assign led = {7'd0, rst};
endmodule
module ulx3s_tb;
    reg clk = 0, lock = 0, button = 1, line = 1;
    wire back, gpio, csn, mosi, wpn, holdn;
    wire [7:0] led;
    ulx3s top (.clk_25mhz(clk), .ftdi_txd(line), .ftdi_rxd(back), .btn_pwr(button), .wifi_gpio0(gpio), .led(led),
        .flash_csn(csn), .flash_mosi(mosi), .flash_miso(line), .flash_wpn(wpn), .flash_holdn(holdn));
    always #5 clk = !clk;
    integer cycles;
    task count;  // cycles until the reset ends
        for (cycles = 0; led[0] && cycles < 1000; cycles = cycles + 1) @(posedge clk) #1;
    endtask
    initial begin
        repeat (50) @(posedge clk) #1;
        $display("without lock: rst %b gpio %b line %b", led[0], gpio, back);
        #3 lock = 1; count;
        $display("lock: %0d cycles", cycles);
        #3 button = 0; @(posedge clk); @(posedge clk) #1 $display("button: rst %b", led[0]);
        #2 button = 1; count;
        $display("released: %0d cycles", cycles);
        #3 lock = 0; #1 lock = 1; repeat (2) @(posedge clk) #1;
        $display("a gap: rst %b", led[0]);
        $finish;
    end
endmodule
"""


def test_every_pin_has_its_site():
    located = dict(re.findall(r'^LOCATE COMP "(\S+)" SITE "(\S+)";', PINS, re.M))
    assert located == SITES
    assert set(re.findall(r'^IOBUF PORT "(\S+)" .*IO_TYPE=LVCMOS33', PINS, re.M)) == SITES.keys()
    declared = re.findall(r"^    (?:input|output) +wire +(?:\[7:0\] )?(\w+)", TOP, re.M)
    assert {name.partition("[")[0] for name in SITES} == set(declared)


def test_the_top_connects_every_port_of_the_board():
    arguments = ports(preset("nano").build)
    names = port_dict(board.func, bind(board.func, (), arguments))
    connected = re.search(r"llama_board u_board \((.*?)\);", TOP, re.S)[1]
    assert set(re.findall(r"\.(\w+)\(", connected)) == set(names)


def test_reset_around_the_top(tmp_path):
    """It begins at once, and ends a fixed time behind lock and button."""
    (tmp_path / "tb.v").write_text(STUBS)
    command = ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-s", "ulx3s_tb", "-o", "tb", "tb.v"]
    made = subprocess.run([*command, str(bitstream.PINS / "ulx3s.v")], cwd=tmp_path, capture_output=True, text=True)
    assert (made.returncode, made.stderr) == (0, "")
    said = subprocess.run(["vvp", "-n", "tb"], cwd=tmp_path, capture_output=True, text=True).stdout.splitlines()
    assert said[0] == "without lock: rst 1 gpio 1 line 0"
    assert said[1:4] == ["lock: 17 cycles", "button: rst 1", "released: 17 cycles"]
    assert said[4] == "a gap: rst 1"


def one_line(capsys, *arguments) -> str:
    assert bitstream.main(list(arguments)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("bitstream: ")
    return line.removeprefix("bitstream: ")


def test_an_unknown_configuration_is_one_line(capsys):
    assert one_line(capsys, "build", "nonsense").startswith("configuration 'nonsense': must be one of ")


def test_a_build_with_weights_in_memory_is_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(bitstream, "FOLDER", tmp_path)
    words = "board: must have the weights on the chip, this build has them in memory behind a bus"
    assert one_line(capsys, "build", "nano-bus") == words and not list(tmp_path.iterdir())


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A bitstream that is there."""
    monkeypatch.setattr(bitstream, "FOLDER", tmp_path)
    file = tmp_path / "ulx3s" / "ulx3s.bit"
    file.parent.mkdir()
    file.write_bytes(b"bits")
    return file


def test_flash_without_a_bitstream_says_how_to_make_it(capsys, made):
    assert one_line(capsys, "flash", "small").endswith("small/ulx3s.bit is not there: make bitstream CONFIG=small")


def test_flash_without_its_program_is_one_line(capsys, made, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert one_line(capsys, "flash") == "openFPGALoader is not installed (Debian: apt-get install openfpgaloader)"


@pytest.mark.parametrize("options, mode", [([], ["--write-flash"]), (["--volatile"], [])])
def test_flash_starts_its_program(options, mode, made, monkeypatch, tmp_path, capsys):
    program, heard = tmp_path / "openFPGALoader", tmp_path / "heard"
    program.write_text(f'#!/bin/sh\necho "$@" >> {heard}\nexit $STATUS\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("STATUS", "0")
    assert bitstream.main(["flash", *options]) == 0
    assert heard.read_text().split() == ["--board", "ulx3s", *mode, str(made)]
    heard.unlink()
    story = made.with_name("story.bin")
    story.write_bytes(b"story")
    assert bitstream.main(["flash", *options]) == 0
    first = [f"--board ulx3s --write-flash --offset 2097152 --file-type raw {story}"] if mode else []
    assert heard.read_text().splitlines() == [*first, " ".join(["--board", "ulx3s", *mode, str(made)])]
    monkeypatch.setenv("STATUS", "1")
    assert one_line(capsys, "flash", *options) == "openFPGALoader has failed: is the board connected?"


@pytest.mark.syn
@pytest.mark.parametrize("asked, made_hertz", [("80", 80_000_000), ("75", 75_000_000), ("84", 84_375_000)])
def test_the_pll_makes_the_clock_that_is_said(asked, made_hertz, tmp_path):
    assert bitstream.pll(tmp_path, Fraction(asked)) == made_hertz
    assert re.search(r"^module pll$", (tmp_path / "pll.v").read_text(), re.M)


@pytest.mark.syn
def test_pins_pll_and_flash_clock_make_a_bitstream():
    """The flow as it is, around a board that only blinks and forwards its lines."""
    folder = bitstream.FOLDER / "blink"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "blink.v").write_text("""
module llama_board (input clk, input rst, input rxd, output txd, output cs_n, output sck, output mosi, input miso,
    output [7:0] led);
    reg [25:0] count;
    always @(posedge clk) count <= rst ? 0 : count + 1;
    assign led = count[25:18];
    assign {txd, cs_n, sck, mosi} = {rxd, count[3], count[2], miso};
endmodule
""")
    hertz = bitstream.pll(folder, Fraction(80))
    figures = bitstream.put_together(folder, ["blink.v"], hertz, seed=1)
    assert figures["fmax_mhz"] > 80 and figures["used"]["EHXPLLL"] == figures["used"]["USRMCLK"] == 1
    assert figures["used"]["TRELLIS_IO"] == len(SITES)
    assert figures["bytes"] > 10_000 and open(figures["file"], "rb").read(2) == b"\xff\x00"
