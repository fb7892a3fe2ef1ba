"""The driver with all modules of the project that it imports, as a package for hosts that have nothing else of it."""

import ast
from pathlib import Path

from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.host.ip.documents import registers_module

PACKAGE = "llama2_myhdl."
ENTRIES = ("host.driver", "host.mapped", "weights.memory", "spec.register")  # what a host imports


def _imported(text: str) -> set[str]:
    """Modules of the project that a module's text may import, without the package's name."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            module = node.module[len(PACKAGE) :]
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def modules(entries=ENTRIES) -> list[str]:
    """All that is needed to import these modules, by their names in the project."""
    needed, waiting = set(), list(entries)
    while waiting:
        name = waiting.pop()
        file = _file(name)
        if name not in needed and file.is_file():
            needed.add(name)
            waiting += _imported(file.read_text())
    return sorted(needed)


def _file(module: str) -> Path:
    return PROJECT / f"{module.replace('.', '/')}.py"


def write_driver(folder: Path) -> None:
    """llama2_myhdl/ with those modules as they are, and registers.py beside it."""
    for name in modules():
        target = folder / PACKAGE.strip(".") / f"{name.replace('.', '/')}.py"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_file(name).read_bytes())
    for room in [path for path in folder.rglob("*") if path.is_dir()]:
        (room / "__init__.py").touch()
    (folder / "registers.py").write_text(registers_module())
