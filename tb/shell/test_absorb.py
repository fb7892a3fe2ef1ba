"""absorb: registers go into multipliers and block RAMs, and the netlist computes what it did, cycle for cycle."""
import copy
import json
import random

import pytest

from llama2_myhdl.syn import tools
from llama2_myhdl.syn.absorb import absorb

CYCLES = 200
# two factors with registers: one loaded, one with a reset that Yosys makes of its data, one that is read outside too
MULTIPLIER = """
module top (input clk, input load, input clear, input signed [15:0] a, input signed [7:0] b, c,
            output reg signed [23:0] p, q, output reg signed [7:0] seen);
    reg signed [15:0] x;
    reg signed [7:0] y, z;
    always @(posedge clk) begin
        if (load) x <= a;
        y <= clear ? 8'd0 : b;
        z <= c;
        p <= x * y;
        q <= x * z;
        seen <= z;
    end
endmodule
"""
RAM = """
module top (input clk, input we, input [9:0] wa, ra, input [17:0] d, output reg [17:0] q);
    (* ram_style = "block" *) reg [17:0] words [0:1023];
    reg [17:0] found;
    always @(posedge clk) begin
        if (we) words[wa] <= d;
        found <= words[ra];
        q <= found;
    end
endmodule
"""


def bit_of(value, k):
    return value >> k & 1


class Netlist:
    """The cells that these designs become, evaluated cycle by cycle."""

    def __init__(self, module):
        self.module, self.state = module, {}
        self.cells = module["cells"]
        self.drivers = {
            bit: name
            for name, cell in self.cells.items()
            for port, bits in cell["connections"].items()
            if cell["port_directions"][port] == "output"
            for bit in bits
        }

    def cycle(self, inputs):
        """The outputs in a cycle with these inputs."""
        nets = {}
        for port, value in inputs.items():
            nets |= {bit: bit_of(value, k) for k, bit in enumerate(self.module["ports"][port]["bits"])}

        def value(bit):
            if isinstance(bit, str):
                return int(bit == "1")
            if bit not in nets:
                self.evaluate(self.drivers[bit], nets, value)
            return nets[bit]

        outputs = {
            name: sum(value(bit) << k for k, bit in enumerate(port["bits"]))
            for name, port in self.module["ports"].items()
            if port["direction"] == "output"
        }
        self.state |= {name: found for name in self.cells for found in [self.clocked(name, value)] if found is not None}
        return outputs

    def port(self, name, port, value):
        return value(self.cells[name]["connections"].get(port, ["0"])[0])

    def factor(self, name, side, value):
        bits = [self.port(name, f"{side}{k}", value) for k in range(18)]
        return sum(bit << k for k, bit in enumerate(bits)) - (bits[17] << 18) * self.port(name, f"SIGNED{side}", value)

    def evaluate(self, name, nets, value):
        cell = self.cells[name]
        if cell["type"] == "LUT4":
            index = sum(self.port(name, port, value) << k for k, port in enumerate("ABCD"))
            nets[cell["connections"]["Z"][0]] = bit_of(int(cell["parameters"]["INIT"], 2), index)
        elif cell["type"] == "TRELLIS_FF":
            nets[cell["connections"]["Q"][0]] = self.state.get(name, 0)
        else:
            assert cell["type"] == "MULT18X18D"
            inside = cell["parameters"].get("REG_INPUTA_CLK") == "CLK0"
            sides = self.state.get(name, (0, 0)) if inside else [self.factor(name, side, value) for side in "AB"]
            for k in range(36):
                for bit in cell["connections"].get(f"P{k}", []):
                    nets[bit] = bit_of(sides[0] * sides[1], k)

    def clocked(self, name, value):
        """What the cell holds after the edge."""
        cell, before = self.cells[name], self.state.get(name)
        if cell["type"] == "TRELLIS_FF":
            if self.port(name, "LSR", value):
                return 0
            enabled = cell["parameters"]["CEMUX"].strip() == "1" or self.port(name, "CE", value)
            return self.port(name, "DI", value) if enabled else before or 0
        if cell["parameters"].get("REG_INPUTA_CLK") == "CLK0":
            enables = [cell["parameters"][f"REG_INPUT{side}_CE"] for side in "AB"]
            return tuple(
                self.factor(name, side, value) if self.port(name, enable, value) else old
                for side, enable, old in zip("AB", enables, before or (0, 0))
            )
        return None


def mapped(verilog, folder):
    """The module after Yosys."""
    (folder / "top.v").write_text(verilog)
    script = "read_verilog top.v; synth_ecp5 -noccu2 -no-rw-check -top top -json top.json"
    tools.run([tools.yowasp("yosys"), "-q", "-p", script], folder, "yosys.log")
    return json.loads((folder / "top.json").read_text())["modules"]["top"]


def count(module, kind):
    return sum(cell["type"] == kind for cell in module["cells"].values())


@pytest.mark.syn
def test_multipliers_compute_the_same(tmp_path):
    before = mapped(MULTIPLIER, tmp_path)
    after = copy.deepcopy(before)
    moved = absorb(after)
    assert moved["MULT18X18D"] == 16 + 8 + 16 + 8
    # x and y have no other reader, z has one
    assert count(after, "TRELLIS_FF") == count(before, "TRELLIS_FF") - 16 - 8
    assert differences(before, after) == 0
    # the comparison can fail
    name = next(name for name, cell in after["cells"].items() if "REG_INPUTA_CE" in cell["parameters"])
    after["cells"][name]["parameters"]["REG_INPUTA_CLK"] = "NONE"
    assert differences(before, after) > CYCLES / 2


def differences(before, after):
    """Of CYCLES random cycles, those in which the outputs differ."""
    rng, old, new, found = random.Random(1), Netlist(before), Netlist(after), []
    for _ in range(CYCLES):
        inputs = dict(load=rng.randrange(2), clear=rng.randrange(2), a=rng.getrandbits(16))
        inputs |= dict(b=rng.getrandbits(8), c=rng.getrandbits(8), clk=0)
        found.append((old.cycle(inputs), new.cycle(inputs)))
    assert len({outputs["p"] for outputs, _ in found}) > CYCLES / 4
    return sum(a != b for a, b in found)


@pytest.mark.syn
def test_block_ram_takes_the_register_behind_it(tmp_path):
    module = mapped(RAM, tmp_path)
    (ram,) = [cell for cell in module["cells"].values() if cell["type"] == "DP16KD"]
    assert count(module, "TRELLIS_FF") == 18
    assert absorb(module)["DP16KD"] == 18
    assert count(module, "TRELLIS_FF") == 0
    assert (ram["parameters"]["REGMODE_B"], ram["connections"]["OCEB"]) == ("OUTREG", ["1"])
    driven = {bit for port, bits in ram["connections"].items() if port.startswith("DOB") for bit in bits}
    assert set(module["ports"]["q"]["bits"]) <= driven


@pytest.mark.syn
@pytest.mark.parametrize("change", [
    ("q <= found;", "if (we) q <= found;"),  # the register inside has no enable of its own
    ("found <= words[ra];\n        q <= found;", "q <= words[ra];"),
    ("output reg [17:0] q", "output reg [17:0] q, output seen, output reg [17:0] found"),  # read elsewhere
])  # fmt: skip
def test_what_does_not_fit_stays(tmp_path, change):
    verilog = RAM.replace(*change)
    if "seen" in change[1]:
        verilog = verilog.replace("    reg [17:0] found;\n", "    assign seen = found[0];\n")
    module = mapped(verilog, tmp_path)
    before = count(module, "TRELLIS_FF")
    assert absorb(module)["DP16KD"] == 0
    assert count(module, "TRELLIS_FF") == before
