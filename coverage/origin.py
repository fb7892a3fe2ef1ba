"""Where a line of a module's Verilog comes from: the process and the line of the block's MyHDL source.

MyHDL prints the statements of a process in their order, and a process keeps its name. So both are taken as lists of
what the statements do, and these are laid side by side; where they differ, such as in a constant condition that is not
printed, the lines around still find each other.
"""

import ast
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

_PROCESS = re.compile(r"(?:always|initial)\b.*\bbegin *: *(\w+)")
_ENTRY = re.compile(r" *(\d+|default): (\w+) <?= ")  # of a table: one statement of MyHDL is a case of Verilog
_ASSIGN = re.compile(r"assign (\w+)\b")
_KINDS = (  # of a line of Verilog
    (re.compile(r"else if\b|if\b|(?!default)[\w']+ *: *begin"), "test"),
    (re.compile(r"else\b|default *: *begin"), "else"),
    (re.compile(r"for\b"), "for"),
    (re.compile(r"\$|assert\b"), "check"),
)
_TARGET = re.compile(r"(\w+)(?:\[[^=]*\])? *(?:<=|=)")
BLOCKS = ("hblock", "block")  # decorators
PROCESSES = ("always", "always_comb", "always_seq", "instance")


class Line(NamedTuple):
    """A line of MyHDL. file: of the project; line: from 1; text: of it, without the blanks around."""

    file: Path
    line: int
    text: str


@dataclass(frozen=True)
class Source:
    """A block: one that is a module of its own, or is printed into the module that calls it."""

    file: Path
    node: ast.FunctionDef
    lines: tuple[str, ...]

    def at(self, line: int) -> Line:
        return Line(self.file, line, self.lines[line - 1].strip())

    @cached_property
    def processes(self) -> dict[str, ast.FunctionDef]:
        """Its processes by name."""
        return {node.name: node for node in ast.walk(self.node) if _decorated(node, PROCESSES)}

    @cached_property
    def made(self) -> dict[str, int]:
        """Lines of its arguments and of all that it gives a name to, the first one of each."""
        found: dict[str, int] = {}
        for node in ast.walk(self.node):
            if isinstance(node, ast.arg):
                found.setdefault(node.arg, node.lineno)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.setdefault(node.id, node.lineno)
        return found

    @cached_property
    def driven(self) -> dict[str, int]:
        """Lines of the first statement that drives each signal."""
        found: dict[str, int] = {}
        for node in ast.walk(self.node):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                found.setdefault(_full_name(node.targets[0]), node.lineno)
        return found


def _decorated(node: ast.AST, names: tuple[str, ...]) -> bool:
    if not isinstance(node, ast.FunctionDef):
        return False
    calls = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
    return any(isinstance(call, ast.Name) and call.id in names for call in calls)


@cache
def sources(folders: tuple[Path, ...]) -> dict[str, Source]:
    """The blocks of all modules below some folders, by name."""
    found: dict[str, Source] = {}
    for file in sorted(file for folder in folders for file in folder.rglob("*.py")):
        text = file.read_text()
        for node in ast.parse(text).body:
            if _decorated(node, BLOCKS):
                found.setdefault(node.name, Source(file, node, tuple(text.splitlines())))
    return found


def _full_name(node: ast.AST) -> str:
    """The name in Verilog of what is assigned to, as it mostly is: `m.valid.next` is m_valid."""
    words = []
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        if isinstance(node, ast.Attribute) and node.attr != "next":
            words.insert(0, node.attr)
        node = node.value
    return "_".join([node.id, *words]) if isinstance(node, ast.Name) else ""


def _last(name: str) -> str:
    """Its last word: what is left of an interface's signal whatever the interface is called."""
    return name.rpartition("_")[2]


def _steps(body: list[ast.stmt]) -> list[tuple[str, int]]:
    """What the statements of MyHDL do, each with its line."""
    found = []
    for node in body:
        if isinstance(node, ast.If):
            found += [("test", node.lineno), *_steps(node.body)]
            if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
                found += _steps(node.orelse)
            elif node.orelse:
                found += [("else", node.orelse[0].lineno), *_steps(node.orelse)]
        elif isinstance(node, ast.For):
            found += [("for", node.lineno), *_steps(node.body)]
        elif isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.append((f"= {_last(_full_name(targets[0]))}", node.lineno))
        elif isinstance(node, ast.Assert):
            found.append(("check", node.lineno))
    return found


def _printed(text: str) -> str | None:
    """What a line of Verilog does, in the same words; None when it only ends or begins something."""
    text = text.strip()
    for pattern, kind in _KINDS:
        if pattern.match(text):
            return kind
    match = _TARGET.match(text)
    return f"= {_last(match[1])}" if match else None


def _beside(printed: list[tuple[str, int]], steps: list[tuple[str, int]]) -> dict[int, int]:
    """{line of Verilog: line of MyHDL}."""
    found = {}
    matcher = SequenceMatcher(None, [kind for kind, _ in printed], [kind for kind, _ in steps], autojunk=False)
    for tag, a, a_end, b, b_end in matcher.get_opcodes():
        if tag == "equal" or a_end - a == b_end - b:
            found |= {printed[a + k][1]: steps[b + k][1] for k in range(a_end - a)}
    return found


class Origins:
    """The lines of one module. text: its Verilog; block: name of the block that it was made of; folders: of MyHDL."""

    def __init__(self, text: str, block: str, folders: tuple[Path, ...]):
        self.text, self._sources = text.splitlines(), sources(folders)
        self.block = self._sources.get(block)
        self._processes: dict[int, str] = {}
        self._lines: dict[int, Line] = {}
        self._walk()

    def _walk(self) -> None:
        name, printed, entries = None, [], {}  # entries: of tables, each with the line of the first one
        for number, line in enumerate(self.text, 1):
            if match := _PROCESS.match(line):
                name, printed, entries = match[1], [], {}
            elif name and line.startswith("end"):
                self._settle(name, printed, entries)
                name = None
            elif not name and (match := _ASSIGN.match(line)):
                if driver := self._assigned(match[1]):
                    self._lines[number] = driver
            if name:
                self._processes[number] = name
                entry = _ENTRY.match(line)
                kind = f"= {_last(entry[2])}" if entry else _printed(line)
                if entry:
                    entries[number] = entries.get(number - 1, number)
                if kind and entries.get(number, number) == number:
                    printed.append((kind, number))

    def _assigned(self, name: str) -> Line | None:
        """The statement of the block that drives a signal: of a process that is printed as an assignment."""
        line = self.block and self.block.driven.get(name)
        return self.block.at(line) if line else None

    def _found(self, name: str) -> tuple[Source, ast.FunctionDef] | None:
        """A process: of the block, else of one that is printed into it, of the same file first. Its name then begins
        with that of the instance."""
        others = sorted(self._sources.values(), key=lambda source: source.file != self.block.file)
        words = name.split("_")
        for first in range(len(words)):
            for source in [self.block, *others]:
                if node := source.processes.get("_".join(words[first:])):
                    return source, node
        return None

    def _settle(self, name: str, printed: list[tuple[str, int]], entries: dict[int, int]) -> None:
        """Find the lines of a process that is whole."""
        found = self._found(name) if self.block else None
        if not found:
            return
        source, node = found
        beside = _beside(printed, _steps(node.body))
        self._lines |= {line: source.at(beside.get(line, node.lineno)) for _, line in printed}
        for line, first in entries.items():
            label = _ENTRY.match(self.text[line - 1])[1]
            origin = source.at(beside.get(first, node.lineno))
            self._lines[line] = origin._replace(text=f"{label}: {origin.text}")
        self._processes |= {line: node.name for line, around in self._processes.items() if around == name}

    def process(self, line: int) -> str:
        """Name of the process around a line of Verilog; empty when there is none."""
        return self._processes.get(line, "")

    def line(self, line: int) -> Line | None:
        """The MyHDL line that a line of Verilog comes from."""
        return self._lines.get(line)

    def signal(self, name: str) -> Line | None:
        """Where a signal, or the interface that it is of, is made or is a port; else where the block begins."""
        if self.block is None:
            return None
        parts = name.split("_")
        names = ("_".join(parts[:length]) for length in range(len(parts), 0, -1))
        lines = (self.block.made[name] for name in names if name in self.block.made)
        return self.block.at(next(lines, self.block.node.lineno))
