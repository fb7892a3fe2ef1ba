"""A wrapper with four pins around a module of any width, so that it can be placed and routed alone.

    si ──> shift in (N bits) ──ld──> hold (N) ──> module ──> capture (M) ──ld──> shift out (M bits) ──> so

Every port of the module lies between registers, so each reported path is the module's own, whatever the package's pins.
"""

import re
from dataclasses import dataclass

CLOCK = "clk"
INSTANCE = "dut"  # the module's name in the wrapper
_PORT = re.compile(r"\b(input|output)\s+(?:wire|reg)\s+(?:signed\s+)?(?:\[(\d+):0\]\s+)?(\w+)")


class WrapperError(ValueError):
    """The Verilog module has no ports that the wrapper can drive."""


@dataclass(frozen=True)
class Port:
    """One port of a module: `direction` is input or output, `width` in bits."""

    name: str
    direction: str
    width: int


def ports(verilog: str, module: str) -> list[Port]:
    """Ports of `module` in converted Verilog, in order of declaration (`input wire [15:0] a`)."""
    header = re.search(rf"\bmodule\s+{re.escape(module)}\s*\((.*?)\);", verilog, re.S)
    if header is None:
        raise WrapperError(f"no module {module} in the Verilog")
    found = [Port(name, way, int(msb or 0) + 1) for way, msb, name in _PORT.findall(header[1])]
    if CLOCK not in [p.name for p in found]:
        raise WrapperError(f"module {module} has no port {CLOCK}")
    return found


def _slices(group: list[Port], bus: str) -> list[str]:
    connections, low = [], 0
    for port in group:
        connections.append(f".{port.name}({bus}[{low + port.width - 1}:{low}])")
        low += port.width
    return connections


def wrap(module: str, found: list[Port], name: str) -> str:
    """Verilog of a module `name` (pins clk, ld, si, so) around `module` with the ports `found`."""
    inputs = [p for p in found if p.direction == "input" and p.name != CLOCK]
    outputs = [p for p in found if p.direction == "output"]
    n, m = sum(p.width for p in inputs), sum(p.width for p in outputs)
    if not n or not m:
        raise WrapperError(f"module {module} needs inputs and outputs beside {CLOCK}, has {n} and {m} bits")
    connections = [f".{CLOCK}({CLOCK})", *_slices(inputs, "hold"), *_slices(outputs, "result")]
    return f"""module {name} (input {CLOCK}, input ld, input si, output so);
  reg [{n - 1}:0] shift_in;
  reg [{n - 1}:0] hold;
  wire [{m - 1}:0] result;
  reg [{m - 1}:0] capture;
  reg [{m - 1}:0] shift_out;
  assign so = shift_out[{m - 1}];
  always @(posedge {CLOCK}) begin
    shift_in <= {{shift_in, si}};
    if (ld) hold <= shift_in;
    capture <= result;
    shift_out <= ld ? capture : {{shift_out, 1'b0}};
  end
  {module} {INSTANCE} (
    {(',' + chr(10) + '    ').join(connections)}
  );
endmodule
"""
