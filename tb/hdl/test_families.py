"""Variants that became one module with parameters are what MyHDL makes of each alone, on the decoder's own ones."""

import contextlib
import os
import re
import subprocess
from collections import Counter

import pytest

from llama2_myhdl.hdl import families, hierarchy, verilog
from llama2_myhdl.hdl.constants import Constants
from llama2_myhdl.hdl.families import Variant, skeleton, unite
from llama2_myhdl.hdl.inspection import quick_inspection
from llama2_myhdl.hdl.ports import bind, port_dict
from llama2_myhdl.hdl.verilog import Module, Port
from llama2_myhdl.rtl.decoder import decoder, ports
from llama2_myhdl.sim import casts
from llama2_myhdl.sim.runner import MEMORY
from llama2_myhdl.spec.presets import preset

CYCLES = 2000
LEAST = {"delay", "fifo", "ram", "ring", "boot_register", "credit", "skid", "check"}  # families that there must be
BENCH = """
`timescale 1ns/1ps
module bench;
reg clk = 0, rst = 1;
integer cycle, different = 0, defined = 0;
{nets}
{instances}
initial begin
    for (cycle = 0; cycle < {cycles}; cycle = cycle + 1) begin
        rst = cycle < 3 || cycle % 97 == 0;
{stimuli}
        #1;
{comparisons}
        clk = 1; #1 clk = 0; #1;
    end
    $display("different %0d defined %0d", different, defined);
end
endmodule
"""


@contextlib.contextmanager
def numbers_only():
    """MyHDL's own way: constants as numbers."""
    yield Constants()


class Converted:
    """A design as MyHDL prints it, module by module, and as this project writes it."""

    def __init__(self, folder, block, arguments, monkeypatch):
        bound = bind(block.func, (), arguments)
        found = []
        for patch in (True, False):
            with monkeypatch.context() as patched, hierarchy._myhdl_state(), quick_inspection():
                if patch:
                    patched.setattr(hierarchy, "named_constants", numbers_only)
                design = hierarchy._Design()
                design.module(block, bound, port_dict(block.func, bound))
                for module in design.modules.values():
                    module.print(folder)
                found.append(design)
            if patch:
                self.plain = {m.key: (folder / f"{m.name}.v").read_text() for m in design.modules.values()}
        self.modules = list(found[1].modules.values())
        for module, _ in found[1].unite("new_"):
            (folder / f"{module.name}.v").write_text(verilog.put_together(module))
        for module in self.modules:
            (folder / f"{module.name}.v").write_text(self.plain[module.key])
        self.members = Counter(module.func.__name__ for module in self.modules)
        self.folder = folder


def compared(design: Converted, changed=lambda settings: settings, cycles=CYCLES) -> tuple[int, int]:
    """Cycles with different outputs, and output bits that were 0 or 1, of all members of all families, by Icarus."""
    nets, instances, stimuli, comparisons = [], [], [], []
    for number, module in enumerate(design.modules):
        name, settings = module.final
        if not settings:
            continue
        given = families.instance(name, changed(settings))
        pins = {old: [] for old in "ab"}
        for port in module.verilog.ports:
            width = module.widths[port.name]
            net = f"{port.name}_{number}"
            if port.name in ("clk", "rst"):
                net = port.name
            elif port.direction == "input":
                nets.append(f"reg [{width - 1}:0] {net};")
                stimuli.append(f"        {net} = {{{', '.join(['$random'] * -(-width // 32))}}};")
            for side in "ab":
                actual = net if port.direction == "input" else f"{net}_{side}"
                pins[side].append(f".{port.name}({actual})")
            if port.direction == "output":
                nets.append(f"wire [{width - 1}:0] {net}_a, {net}_b;")
                comparisons.append(f"        if ({net}_a !== {net}_b) different = different + 1;")
                comparisons.append(f"        if (^{net}_a !== 1'bx) defined = defined + {width};")
        instances.append(f"{module.name} a_{number} ({', '.join(pins['a'])});")
        instances.append(f"{given} b_{number} ({', '.join(pins['b'])});")
    parts = dict(nets=nets, instances=instances, stimuli=stimuli, comparisons=comparisons)
    text = BENCH.format(cycles=cycles, **{name: "\n".join(lines) for name, lines in parts.items()})
    (design.folder / "bench.v").write_text(text)
    sources = sorted(file.name for file in design.folder.glob("*.v"))
    # the checks would end it: random inputs break every rule
    command = ["iverilog", "-g2005", "-DSYNTHESIS", "-s", "bench", "-o", "bench.vvp", *sources]
    built = subprocess.run(command, cwd=design.folder, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    environment = os.environ | MEMORY | casts.environment()
    options = dict(cwd=design.folder, capture_output=True, text=True, check=True, env=environment)
    said = subprocess.run(["vvp", "-n", "bench.vvp"], **options).stdout
    different, defined = re.fullmatch(r"different (\d+) defined (\d+)\n", said).groups()
    return int(different), int(defined)


@pytest.fixture
def nano(tmp_path, monkeypatch):
    return Converted(tmp_path, decoder, ports(preset("nano").build), monkeypatch)


def test_random_cycles(nano):
    """2,000 cycles of random inputs for each member of each family of a decoder; the comparison can fail."""
    united = {m.func.__name__ for m in nano.modules if m.final[1]}
    assert united >= LEAST
    different, defined = compared(nano)
    assert different == 0 and defined > CYCLES * 1000

    def deeper(settings):
        return {name: str(int(value) + 1) if name == "CYCLES" else value for name, value in settings.items()}

    assert compared(nano, deeper, 100)[0] > 100


def made(number, text, **parameters):
    """A variant with ports d and q of `number` bits."""
    span = f"[{number - 1}:0]"
    pins = (Port("input", "wire", "", span, "d"), Port("output", "wire", "", span, "q"))
    return Variant(Module("leaf", pins, (), {}, text), parameters, dict(d=number, q=number))


def test_widths_and_parameters_become_expressions():
    sizes = ((8, 3), (5, 6), (8, 7))
    variants = [made(w, f"reg [{w - 1}:0] x [0:{n - 1}]; // {(1 << n) - 1}", DEPTH=n) for w, n in sizes]
    assert len({skeleton(variant.module) for variant in variants}) == 1
    family = unite(variants)
    assert family.module.body == "reg [WIDTH-1:0] x [0:DEPTH-1]; // ((1 << DEPTH) - 1)"
    assert [port.span for port in family.module.ports] == 2 * ["[WIDTH-1:0]"]
    assert family.settings == [dict(DEPTH=str(n), WIDTH=str(w)) for w, n in sizes]
    assert families.instance("leaf", family.settings[1]) == "leaf #(.DEPTH(6), .WIDTH(5))"


def test_text_becomes_a_parameter():
    family = unite([made(1, f'$display("%m: %0s", "{text}");', MESSAGE=text) for text in ("one", "two 2")])
    assert family.module.body == '$display("%m: %0s", MESSAGE);'
    assert family.settings == [dict(MESSAGE='"one"'), dict(MESSAGE='"two 2"')]


def test_zeros_of_any_width():
    family = unite([made(w, f"q = {w}'h0;") for w in (3, 9)])
    assert family.module.body == "q = {(WIDTH){1'b0}};"


@pytest.mark.parametrize("texts", [("x = 17;", "x = 4;"), ("x = 3'h1;", "x = 5'h2;"), ('"a"', '"b"')])
def test_no_expression_no_family(texts):
    assert unite([made(8, text, DEPTH=n) for n, text in zip((100, 300), texts)]) is None


def test_other_structure_is_another_skeleton():
    texts = ["a[0] <= d;", "a[0] <= d; a[1] <= d;", "b[0] <= d;", "a[0] <= 8'h0;"]
    assert len({skeleton(made(8, text).module) for text in texts}) == len(texts)
