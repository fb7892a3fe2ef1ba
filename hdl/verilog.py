"""One module's Verilog: MyHDL's text taken apart, and put together as people write it.

ANSI ports, parameters, named constants, `always @*`, no implicit nets, and a header that says what the module is.
"""

import re
from dataclasses import dataclass, field, replace

from llama2_myhdl.hdl.ports import HierarchyError

TIMESCALE = "1ns/1ps"
_MODULE = re.compile(r"module (\w+) \(\n(?:    \w+,?\n)*\);\n((?://.*\n|\n)*)\n((?:(?:input|output|reg|wire)\b.*;\n)*)")
_PORT = re.compile(r"(input|output|reg|wire) (signed )?(\[\d+:0\] )?(\w+);")
_COMB = re.compile(r"always @\((?!posedge|negedge)[^()]*\)")
_INSTANCE = re.compile(r"^(\w+) (u_\w+) \($", re.M)


@dataclass(frozen=True)
class Port:
    """direction: input or output; kind: wire or reg; signed: "" or "signed"; span: "" or as in "[7:0]"."""

    direction: str
    kind: str
    signed: str
    span: str
    name: str


@dataclass(frozen=True)
class Module:
    """The parts of a module. doc: its comment, line by line; constants: values, or expressions, by name; parameters:
    default values by name, as text; body: all else.
    """

    name: str
    ports: tuple[Port, ...]
    doc: tuple[str, ...]
    constants: dict[str, str]
    body: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def directions(self) -> dict[str, str]:
        return {port.name: port.direction for port in self.ports}

    def renamed(self, children: dict[str, str]) -> "Module":
        """The same with what stands in front of its instances' names replaced: a module, and its parameters."""
        body = _INSTANCE.sub(lambda match: f"{children.get(match[1], match[1])} {match[2]} (", self.body)
        return replace(self, body=body)


def take_apart(text: str, constants: dict[str, int]) -> Module:
    """The parts of what MyHDL has printed; constants: values of the names that it printed for numbers."""
    match = _MODULE.search(text)
    if not match:
        raise HierarchyError(f"no module as MyHDL prints it: {text[:200]!r}")
    ports: dict[str, Port] = {}
    for kind, signed, span, name in _PORT.findall(match[3]):
        if kind in ("input", "output"):
            ports[name] = Port(kind, "wire", signed.strip(), span.strip(), name)
        else:
            ports[name] = replace(ports[name], kind=kind)
    body = text[match.end() :].rsplit("endmodule", 1)[0]
    body = _tidied(_COMB.sub("always @*", re.sub(r"\n{3,}", "\n\n", body)).strip("\n"))
    doc = tuple(line.removeprefix("//").removeprefix(" ").rstrip() for line in match[2].strip().splitlines())
    return Module(match[1], tuple(ports.values()), doc, {name: str(value) for name, value in constants.items()}, body)


def _closing(text: str, start: int) -> int:
    """Where the parenthesis that opens at `start` closes."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return place
    raise HierarchyError(f"unbalanced parentheses: {text[start:]!r}")


def _bare(text: str) -> str:
    """An expression without parentheses around all of it."""
    while text.startswith("(") and _closing(text, 0) == len(text) - 1:
        text = text[1:-1]
    return text


def _tidied(body: str) -> str:
    """Ranges of plain numbers added up, and no parentheses that say nothing."""
    body = re.sub(r"\[(\d+)-1:(\d+)\]", lambda m: f"[{int(m[1]) - 1}:{m[2]}]", body)
    body = re.sub(r"\[0:(\d+)-1\]", lambda m: f"[0:{int(m[1]) - 1}]", body)
    body = re.sub(r"(?<=[(&|=?:] )\(!(\w+)\)|(?<=\()\(!(\w+)\)", lambda m: f"!{m[1] or m[2]}", body)
    lines = []
    for line in body.split("\n"):
        if match := re.fullmatch(r"(\s*(?:assign )?[\w\[\]{}:, ]+ (?:<=|=) )(.*);", line):
            line = f"{match[1]}{_bare(match[2])};"
        elif match := re.fullmatch(r"(\s*(?:else )?if )\((.*)\)( begin)", line):
            line = f"{match[1]}({_bare(match[2])}){match[3]}"
        lines.append(line)
    return "\n".join(lines)


def _symbol(ports: tuple[Port, ...], name: str) -> list[str]:
    """A box with the inputs on its left and the outputs on its right."""

    def pin(port: Port) -> str:
        return f"{port.name} {port.span}".strip()

    inputs = [pin(port) for port in ports if port.direction == "input"]
    outputs = [pin(port) for port in ports if port.direction == "output"]
    rows = max(len(inputs), len(outputs), 1)
    left, middle = max(map(len, inputs), default=0), len(name) + 2
    lines = [f"{'':{left + 5}}+{'-' * middle}+"]
    for row in range(rows):
        entry = f"{inputs[row]:>{left}} --->" if row < len(inputs) else f"{'':{left + 5}}"
        leaving = f"---> {outputs[row]}" if row < len(outputs) else ""
        label = name if row == (rows - 1) // 2 else ""
        lines.append(f"{entry}|{label:^{middle}}|{leaving}")
    return [*lines, f"{'':{left + 5}}+{'-' * middle}+"]


def _declaration(port: Port, widths: tuple[int, int, int]) -> str:
    words = (port.direction, port.kind, port.signed)
    columns = [f"{word:{width}}" for word, width in zip(words, widths) if width]
    return " ".join([*columns, port.span]).rstrip()


def put_together(module: Module, notice: str = "", about: str = "") -> str:
    """The text of a module. notice: a line for the top of the file, such as a licence; about: what the module's file
    says of itself."""
    symbol = _symbol(module.ports, module.name)
    header = [*([notice] if notice else []), "", *about.splitlines(), "", *module.doc, "", *symbol]
    lines = [f"// {line}".rstrip() for line in header]
    squeezed = [line for k, line in enumerate(lines) if line != "//" or (k and lines[k - 1] != "//")]
    text = [*squeezed, f"`timescale {TIMESCALE}", "`default_nettype none", ""]
    if module.parameters:
        given = [f"    parameter {name} = {value}" for name, value in module.parameters.items()]
        text += [f"module {module.name} #(", ",\n".join(given), ") ("]
    else:
        text += [f"module {module.name} ("]
    words = [[port.direction for port in module.ports], [port.kind for port in module.ports]]
    widths = (*(max(map(len, column), default=0) for column in words), 6 * any(port.signed for port in module.ports))
    declared = [_declaration(port, widths) for port in module.ports]
    column = max(map(len, declared), default=0)
    text += [",\n".join(f"    {words:{column}} {port.name}" for words, port in zip(declared, module.ports)), ");", ""]
    if module.constants:
        text += [*(f"localparam {name} = {value};" for name, value in module.constants.items()), ""]
    return "\n".join([*text, module.body, "", "endmodule", "`default_nettype wire", ""])
