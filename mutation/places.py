"""Where a fault can be planted in a module's Verilog: readable changes of its source, found in its syntax tree.

What is not hardware is left alone: declarations, loop headers, instances, the first values that MyHDL gives to local
variables, and the checks that only watch a simulation.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyslang.syntax import SyntaxNode, SyntaxTree

KINDS = ("operator", "constant", "condition", "handshake", "reset", "width", "assignment")
SWAPPED = {
    "+": "-", "-": "+", "*": "+", "&": "|", "|": "&", "^": "|", "&&": "||", "||": "&&", "==": "!=", "!=": "==",
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "<<": ">>", ">>": "<<", ">>>": ">>",
}  # fmt: skip
_NOT_HARDWARE = {
    "DataDeclaration", "ParameterDeclarationStatement", "PortDeclaration", "AnsiPortList", "HierarchyInstantiation",
    "EventControlWithExpression", "ImplicitEventControl",
}  # fmt: skip
_ASSIGNMENTS = ("NonblockingAssignmentExpression", "AssignmentExpression")
_RESET = re.compile(r"\(*(\w+_)?rst\)*")
_HANDSHAKE = re.compile(r"[!(]*\w*(valid|ready)\)*")
_LITERAL = re.compile(r"(?:(\d+)'([bdh]))?([0-9a-fA-F]+)")
_FORMATS = {"b": "b", "d": "d", "h": "x"}
_WIDTH = re.compile(r"^ *(?:(?:input|output) +)?(?:reg|wire)(?: signed)? +\[(\d+):0\] +(\w+)[;,]?$", re.M)
_WATCHED = re.compile(r"`ifndef SYNTHESIS.*?`endif", re.S)

Fault = tuple[str, int, int, str]  # kind, start and end in the text, what is put there


@dataclass(frozen=True)
class Place:
    """kind: one of KINDS; line: the source line without its margin; which: of the lines that are equal, from 0; column:
    in that line; was, now: the text there and what is put in its place."""

    kind: str
    line: str
    which: int
    column: int
    was: str
    now: str


def places(text: str) -> list[Place]:
    """All places of a module's text, in its order; of equal faults the first kind that names it."""
    found = {}
    for kind, start, end, now in _Finder(text).found():
        if now != text[start:end]:
            found.setdefault((start, end, now), kind)
    lines = _lines(text)
    return [_place(text, lines, kind, *fault) for fault, kind in sorted(found.items())]


def _lines(text: str) -> list[tuple[int, str, int]]:
    """Of each line that is not empty: where it begins, what it is without its margin, how many before it are equal."""
    lines, seen, begin = [], {}, 0
    for line in text.splitlines(keepends=True):
        if bare := line.strip():
            seen[bare] = seen.get(bare, -1) + 1
            lines.append((begin + line.index(bare), bare, seen[bare]))
        begin += len(line)
    return lines


def _place(text, lines, kind, start, end, now) -> Place:
    begin, bare, which = next(line for line in reversed(lines) if line[0] <= start)
    return Place(kind, bare, which, start - begin, text[start:end], now)


class _Finder:
    """Walks the syntax tree of one text."""

    def __init__(self, text: str):
        # the parser counts bytes, and comments may hold more than ASCII
        self._text = "".join(c if c.isascii() else "?" for c in text)
        self._widths = {name: int(high) + 1 for high, name in _WIDTH.findall(text)}

    def found(self) -> Iterator[Fault]:
        watched = [match.span() for match in _WATCHED.finditer(self._text)]
        for fault in self._walk(SyntaxTree.fromText(self._text).root, False):
            if not any(begin <= fault[1] < end for begin, end in watched):
                yield fault

    def _span(self, node) -> tuple[int, int]:
        return node.sourceRange.start.offset, node.sourceRange.end.offset

    def _of(self, node) -> str:
        start, end = self._span(node)
        return self._text[start:end]

    def _walk(self, node, in_reset: bool) -> Iterator[Fault]:
        kind = str(node.kind).rpartition(".")[2]
        if kind in _NOT_HARDWARE:
            return
        yield from self._faults(node, kind, in_reset)
        if kind == "SimpleRangeSelect" or kind == "BitSelect" and self._of(node).isdigit():
            return  # `_select` has found all
        if kind == "ForLoopStatement":
            children = [node.statement]
        elif kind in _ASSIGNMENTS:
            children = [node.right]
        elif kind == "SequentialBlockStatement":
            children = _children(node.items)
            children = children[self._first_values(children) :]
        else:
            children = _children(node)
        is_reset = kind == "ConditionalStatement" and _RESET.fullmatch(self._of(node.predicate))
        for child in children:
            yield from self._walk(child, in_reset or bool(is_reset and child == node.statement))

    def _first_values(self, statements) -> int:
        """How many statements at the begin of a block are declarations and the values that locals begin with."""
        local = set()
        for count, statement in enumerate(statements):
            text = self._of(statement)
            if str(statement.kind).endswith("DataDeclaration"):
                local.add(re.split(r"\W", text.rstrip(";"))[-1])
                continue
            found = re.fullmatch(r"(\w+) = (.*);", text)
            if not found or found[1] not in local or not _LITERAL.fullmatch(found[2]):
                return count
            local.remove(found[1])
        return len(statements)

    def _faults(self, node, kind: str, in_reset: bool) -> Iterator[Fault]:
        if kind == "ExpressionStatement":
            yield from self._statement(node, in_reset)
        elif kind == "ConditionalStatement":
            yield from self._condition(*self._span(node.predicate))
        elif kind == "ConditionalExpression":
            yield from self._condition(*self._span(node.predicate))
        elif kind == "UnaryLogicalNotExpression":
            yield "condition", *self._span(node), self._of(node.operand)
        elif kind in ("IntegerLiteralExpression", "IntegerVectorExpression"):
            start, end = self._span(node)
            yield from (("constant", start, end, now) for now in _other_numbers(self._of(node)))
        elif kind == "ElementSelect":
            yield from self._select(node)
        elif kind == "InvocationExpression":
            yield from self._cast(node)
        elif kind not in _ASSIGNMENTS and hasattr(node, "operatorToken") and hasattr(node, "left"):
            yield from self._operator(node)

    def _statement(self, node, in_reset: bool) -> Iterator[Fault]:
        start, end = self._span(node)
        if str(node.expr.kind).rpartition(".")[2] not in _ASSIGNMENTS:
            return
        yield "reset" if in_reset else "assignment", start, end, ";"
        if in_reset:
            value = node.expr.right
            yield from (("reset", *self._span(value), now) for now in _other_numbers(self._of(value)))

    def _condition(self, start: int, end: int) -> Iterator[Fault]:
        text = self._text[start:end]
        yield from (("condition", start, end, now) for now in (f"!({text})", "1", "0"))

    def _operator(self, node) -> Iterator[Fault]:
        token, (start, end) = node.operatorToken, self._span(node)
        if token.valueText in ("&&", "||"):
            for dropped, kept in ((node.left, node.right), (node.right, node.left)):
                if _HANDSHAKE.fullmatch(self._of(dropped)):
                    yield "handshake", start, end, self._of(kept)
        if now := SWAPPED.get(token.valueText):
            begin = token.location.offset
            yield "operator", begin, begin + len(token.valueText), now

    def _select(self, node) -> Iterator[Fault]:
        """A slice that is a bit off, or has one too few; a bit's neighbour."""
        start, end = self._span(node)
        if found := re.fullmatch(r"\[(\d+)(-1)?:(\d+)\]", self._text[start:end]):
            high, low = int(found[1]) - bool(found[2]), int(found[3])
            if high > low:
                yield "width", start, end, f"[{high - 1}:{low}]"
                yield "width", start, end, f"[{high}:{low + 1}]"
            if low:
                yield "width", start, end, f"[{high - 1}:{low - 1}]"
        elif found := re.fullmatch(r"\[([A-Z]\w*)-1:(\w+)\]", self._text[start:end]):
            yield "width", start, end, f"[{found[1]}-2:{found[2]}]"
            yield "width", start, end, f"[{found[1]}-1:{found[2]}+1]"
        elif found := re.fullmatch(r"\[([1-9]\d*)\]", self._text[start:end]):
            yield "width", start, end, f"[{int(found[1]) - 1}]"

    def _cast(self, node) -> Iterator[Fault]:
        """A sign that is dropped, where it is extended or decides what an operator does."""
        if self._of(node.left) != "$signed":
            return
        above = node.parent
        kind = str(above.kind).rpartition(".")[2]
        if kind.endswith(("ShiftRightExpression", "ShiftLeftExpression")) and above.right == node:
            return  # amounts have no sign
        if kind in _ASSIGNMENTS:
            argument = re.fullmatch(r"\$signed\(\w+\[(\d+)(-1)?:(\d+)\]\)", self._of(node))
            wide = self._widths.get(self._of(above.left), 0)
            if not argument or wide <= int(argument[1]) - bool(argument[2]) - int(argument[3]) + 1:
                return
        yield "width", *self._span(node.left), "$unsigned"


def _children(node) -> list:
    return [child for child in node if isinstance(child, SyntaxNode)]


def _other_numbers(text: str) -> list[str]:
    """A literal's neighbours, and it with its highest bit flipped where its width is written."""
    found = _LITERAL.fullmatch(text)
    if not found or not found[2] and not text.isdigit():
        return []
    if not found[2]:
        value = int(text)
        return [str(value + 1)] + ([str(value - 1)] if value else [])
    bits, base = int(found[1]), _FORMATS[found[2]]
    value = int(found[3], {"b": 2, "d": 10, "x": 16}[base])
    others = {(value + 1) % (1 << bits), (value - 1) % (1 << bits), value ^ 1 << bits - 1} - {value}
    return [f"{bits}'{found[2]}{other:{base}}" for other in sorted(others)]
