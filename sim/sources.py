"""Which of the project's files a block's Verilog is made from: the key under which a conversion is kept."""

import ast
import hashlib
import importlib.util
import inspect
import sys
from functools import cache
from pathlib import Path

import myhdl

from llama2_myhdl.hdl.ports import bind, parameters, port_dict, port_type

PACKAGES = ("llama2_myhdl", "tb")
CONVERTER = "llama2_myhdl.rtl.verilog"


@cache
def _file(module: str) -> Path | None:
    """The source file of a module of the project; None for anything else."""
    if module.partition(".")[0] not in PACKAGES:
        return None
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # a name that is imported from a module and is none itself
        return None
    return Path(spec.origin) if spec and spec.origin else None


@cache
def _imports(module: str) -> frozenset[str]:
    """Modules of the project that a module's text imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(_file(module).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(name for name in found if _file(name))


@cache
def _reached(modules: frozenset[str]) -> tuple[str, ...]:
    """The modules and all that they import, directly or not."""
    reached, waiting = set(), list(modules)
    while waiting:
        module = waiting.pop()
        if module not in reached and _file(module):
            reached.add(module)
            waiting += _imports(module)
    return tuple(sorted(reached))


@cache
def digest_of_modules(modules: frozenset[str], packages: tuple[str, ...] = ()) -> str:
    """Changes with modules of the project, given by name, and all that they import in these packages (PACKAGES)."""
    digest = hashlib.sha256(repr([myhdl.__version__, sys.version_info[:2]]).encode())
    for module in _reached(modules):
        if module.partition(".")[0] in (packages or PACKAGES):
            digest.update(module.encode() + b"\0" + _file(module).read_bytes())
    return digest.hexdigest()


def signature(block, arguments) -> str:
    """Text that stands for a block's parameters and port types, the same in every run."""
    bound = bind(block.func, (), arguments)
    ports = [(name, port_type(sig)) for name, sig in port_dict(block.func, bound).items()]
    return repr((parameters(block.func, bound), ports))


def digest_of_sources(block, arguments) -> str:
    """Changes with the block's ports and parameters, its source, all that it imports, and the converter.

    block: an @hblock; arguments: its ports and parameters by name.
    """
    functions = [value for value in arguments.values() if inspect.isfunction(value) or inspect.isclass(value)]
    start = {block.func.__module__, CONVERTER, *(function.__module__ for function in functions)}
    text = f"{block.func.__qualname__} {signature(block, arguments)} {digest_of_modules(frozenset(start))}"
    digest = hashlib.sha256(text.encode())
    for module in sorted(module for module in start if not _file(module)):  # a block of one's own beside the project
        digest.update(Path(inspect.getsourcefile(sys.modules[module])).read_bytes())
    return digest.hexdigest()
