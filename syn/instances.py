"""The tree of instances of converted Verilog, and where in the files each one stands."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_MODULE = re.compile(r"^module\s+(\w+)")
_INSTANCE = re.compile(r"^\s*(\w+)\s+(?:#\(.*\)\s+)?(\w+)\s+\($")
_NO_MODULE = frozenset({"module", "if", "case", "always", "else", "begin", "for"})
_PLACE = re.compile(r"([\w.]+):(\d+)\.\d+-(\d+)\.\d+")


@dataclass(frozen=True)
class Instance:
    """name, in the module that holds it; module: what it is one of; file, line: where its name stands."""

    name: str
    module: str
    file: str
    line: int


@dataclass(frozen=True)
class Tree:
    """top: a module; inside: {module: the instances in it}."""

    top: str
    inside: dict[str, tuple[Instance, ...]]

    @cached_property
    def scopes(self) -> dict[str, str]:
        """{instance: module}, an instance by its path, as in `u_engine_0.u_matvec`; the top is the instance ""."""
        found, waiting = {}, [("", self.top)]
        while waiting:
            path, module = waiting.pop()
            found[path] = module
            waiting += [(f"{path}.{i.name}" if path else i.name, i.module) for i in self.inside.get(module, ())]
        return found

    def instance(self, source: str) -> str | None:
        """The instance whose cell a `src` attribute of Yosys is, by the places of all instances around it.

        None when it names no place in the Verilog, as that of a cell which has come of logic that was rewritten.
        """
        places = {(file, line) for file, low, high in _PLACE.findall(source) for line in range(int(low), int(high) + 1)}
        files = {file for file, _ in places}
        if not any(f"{module}.v" in files for module in self.inside):
            return None
        path, module = [], self.top
        while found := next((i for i in self.inside.get(module, ()) if (i.file, i.line) in places), None):
            path.append(found.name)
            module = found.module
        return ".".join(path)


def _instances(file: str, text: str) -> Iterable[tuple[str, Instance | None]]:
    """(module, instance in it) in the order of the text; (module, None) where a module begins."""
    module = ""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _MODULE.match(line):
            module = found[1]
            yield module, None
        elif (found := _INSTANCE.match(line)) and found[1] not in _NO_MODULE:
            yield module, Instance(found[2], found[1], file, number)


def tree(files: dict[str, str], top: str) -> Tree:
    """The tree below module `top`; files: their names and texts."""
    inside: dict[str, list[Instance]] = {}
    for file, text in files.items():
        for module, instance in _instances(file, text):
            known = inside.setdefault(module, [])
            if instance:
                known.append(instance)
    return Tree(top, {m: tuple(i for i in found if i.module in inside) for m, found in inside.items()})
