"""`--quick`, as `make test` gives it: both simulators for each test, every build of a test in one of them alone.

Where a test has several builds, the simulator that costs less runs all of them and the other one the first. Verilator
costs more, as its C++ is compiled, but for tests marked `long_runs`, whose runs are long; with the argument 0 such a
test leaves Icarus out. Without the option everything runs in both.

The marker's name holds no simulator's, as `-k icarus` looks at markers too.
"""

from collections import defaultdict
from collections.abc import Iterable

import pytest

OPTION, MARKER = "--quick", "long_runs"
ICARUS, VERILATOR = "icarus", "verilator"


def pytest_addoption(parser) -> None:
    parser.addoption(OPTION, action="store_true", help="each build of a test in one simulator, the first one in both")


def _builds(items: Iterable) -> dict:
    """Items with a parameter `sim`, by test and simulator: each with its other parameters, in their order."""
    found = defaultdict(lambda: defaultdict(dict))
    for item in items:
        given = dict(item.callspec.params) if hasattr(item, "callspec") else {}
        if (sim := given.pop("sim", None)) in (ICARUS, VERILATOR):
            found[item.parent.nodeid, item.originalname][sim][repr(given)] = item
    return found


def left_out(items: Iterable) -> list:
    """Tests that a quick run does not need: the other simulator has the same test of the same build."""
    found = []
    for by_sim in _builds(items).values():
        marks = [item.get_closest_marker(MARKER) for item in by_sim[ICARUS].values()]
        mark = next(iter(marks), None)
        costly, other = (ICARUS, VERILATOR) if mark else (VERILATOR, ICARUS)
        kept = mark.args[0] if mark and mark.args else 1
        twins = [item for build, item in by_sim[costly].items() if build in by_sim[other]]
        found += twins[kept:]
    return found


@pytest.hookimpl(trylast=True)  # of what the other options have left
def pytest_collection_modifyitems(config, items: list) -> None:
    """Take them out of a quick run; pytest says how many there are."""
    if not config.getoption(OPTION):
        return
    out = set(left_out(items))
    config.hook.pytest_deselected(items=[item for item in items if item in out])
    items[:] = [item for item in items if item not in out]
