"""The rooms of the house: imports run one way, from a room to those that it stands on."""

import ast

import pytest

from llama2_myhdl.base.folders import PROJECT

STANDS_ON = {
    "base": (),
    "hdl": (),
    "spec": ("base",),
    "readers": ("base", "spec"),
    "golden": ("base", "spec", "readers"),
    "rtl": ("base", "spec", "hdl"),
    "weights": ("base", "spec", "readers", "golden"),
    "sim": ("base", "spec", "hdl", "rtl", "weights"),
    "syn": ("base", "spec", "hdl", "rtl", "sim"),
    "coverage": (),
    "host": ("base", "spec", "hdl", "readers", "golden", "rtl", "weights", "sim", "syn", "coverage"),
    "watch": ("base", "spec", "readers", "rtl", "sim", "host"),
    "formal": ("base", "spec", "hdl", "rtl", "sim", "syn", "host"),
    "mutation": ("base", "hdl", "sim", "syn", "host"),
    "regress": ("base", "coverage", "host", "mutation"),
    "tb": (
        *("base", "spec", "hdl", "readers", "golden", "rtl", "weights", "sim", "syn"),
        *("coverage", "watch", "formal", "regress"),
    ),
}
TESTS_OF_HOST = ("tb/host", "tb/shell", "tb/watch")
TESTS_OF_MUTATION = ("tb/mutation",)


def imported(text: str) -> set[str]:
    """Rooms that a module's text imports, wherever in it; the package itself goes by its own name."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "a relative import"
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for package, _, rest in (module.partition(".") for module in modules):
            if package == "llama2_myhdl":
                found.add(rest.partition(".")[0])
            elif package == "tb":
                found.add("tb")
    return found


def upward(room: str, text: str, more: tuple[str, ...] = ()) -> set[str]:
    """Rooms that a module of a room imports and must not."""
    return imported(text) - {room, *STANDS_ON[room], *more}


def test_rooms_are_those_of_the_project():
    """Each folder of Python is a room, and each stands on rooms before it."""
    folders = {file.parent.name for file in PROJECT.glob("*/__init__.py")}
    assert folders == STANDS_ON.keys()
    order = list(STANDS_ON)
    assert all(order.index(below) < order.index(room) for room in order for below in STANDS_ON[room])


@pytest.mark.parametrize("room", STANDS_ON)
def test_imports_run_downwards(room):
    files = sorted((PROJECT / room).rglob("*.py"))
    assert files
    wrong = {}
    for file in files:
        path = file.relative_to(PROJECT).as_posix()
        more = ("host",) if path.startswith(TESTS_OF_HOST) else ()
        more += ("mutation",) if path.startswith(TESTS_OF_MUTATION) else ()
        if found := upward(room, file.read_text(), more):
            wrong[path] = sorted(found)
    assert wrong == {}


def test_an_upward_arrow_is_seen():
    """In whatever form, and inside functions too."""
    assert upward("golden", "from llama2_myhdl.weights.tape import Tape") == {"weights"}
    assert upward("rtl", "def f():\n    import llama2_myhdl.golden.fixed.norm") == {"golden"}
    assert upward("spec", "from llama2_myhdl import rtl, base") == {"rtl"}
    assert upward("host", "from tb.sim.models import random_model") == {"tb"}
    assert upward("tb", "from llama2_myhdl.host import cli", ("host",)) == set()
    assert upward("sim", "import numpy.linalg\nfrom llama2_myhdl.sim import jobs") == set()
