"""Which blocks the design of a file of tests has, read from the sources: nothing is built.

A file of tests simulates the blocks whose names it uses, or the testbenches do that it imports, and all blocks whose
names stand in these. Functions are followed one by one: a module has a block and its `ports`, and others use only one.
"""

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from llama2_myhdl.base.folders import PROJECT

RTL, WHOLE = "llama2_myhdl.rtl.", ("tb.", "llama2_myhdl.sim.")  # read by functions, and as wholes
Name = tuple[str, str]  # module, name in it; the name is empty for a whole module


def module_of(file: Path) -> str:
    """Import name of a file of rtl/ or tb/."""
    parts = file.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts if parts[0] == "tb" else ("llama2_myhdl", *parts))


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # a name in a module is no package
        return False


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(Path(importlib.util.find_spec(module).origin).read_text())


@cache
def _functions(module: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in _tree(module).body if isinstance(node, ast.FunctionDef)}


@cache
def _names(module: str) -> dict[str, Name]:
    """What the names of a module of the project stand for: its imports from the project, and its own functions."""
    found = {name: (module, name) for name in _functions(module)}
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith(("llama2_myhdl", "tb")):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found[alias.asname or alias.name] = (whole, "") if _is_module(whole) else (node.module, alias.name)
    return found


def _used(module: str, node: ast.AST) -> Iterator[Name]:
    """Names of the project in a part of a module's text; `module.name` is that name."""
    names = _names(module)
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            if names.get(part.value.id, ("", "-"))[1] == "":
                yield names[part.value.id][0], part.attr
        elif isinstance(part, ast.Name) and part.id in names:
            yield names[part.id]


@cache
def _next(name: Name) -> frozenset[Name]:
    """What stands in a function of rtl/, or in a module of testbenches."""
    module, function = name
    if module.startswith(RTL):
        return frozenset(_used(module, _functions(module)[function])) if function in _functions(module) else frozenset()
    if module.startswith(WHOLE):
        return frozenset(_used(module, _tree(module)))
    return frozenset()


@cache
def blocks() -> dict[Name, Path]:
    """All blocks of rtl/ with their files."""
    found = {}
    for file in sorted((PROJECT / "rtl").rglob("*.py")):
        for function in _functions(module_of(file)).values():
            if any(isinstance(mark, ast.Name) and mark.id == "hblock" for mark in function.decorator_list):
                found[module_of(file), function.name] = file
    return found


def simulated(file: Path) -> set[Name]:
    """The blocks in the designs of a file of tests; of a file of rtl/, those that its blocks hold, and themselves."""
    module = module_of(file)
    waiting = [name for name in blocks() if name[0] == module] or [(module, "")]
    reached = set(waiting)
    while waiting:
        found = _next(waiting.pop()) - reached
        reached |= found
        waiting += found
    return reached & blocks().keys()
