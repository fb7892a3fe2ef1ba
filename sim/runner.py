"""Run the cocotb tests of a block, under pytest:

    @pytest.mark.parametrize("sim", SIMULATORS)
    def test_fifo(sim):
        run(fifo, ports, __name__, sim, DEPTH=4)

Environment: SIM=icarus or SIM=verilator leaves one simulator; WAVES=1 records waves (FST) next to the results;
COVERAGE_COUNTS=folder has Verilator count what is executed (`sim/counts.py`).
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llama2_myhdl.sim.build import Build

# The tests' modules import this one in every simulator too, where only `test_parameters` is needed: what builds and
# starts is imported where it is used.

ALL_SIMULATORS = ("icarus", "verilator")
PARAMETERS = "TB_PARAMETERS"  # environment variable: the file with the test's parameters

# none for an unknown one, which tb/conftest.py refuses: the host uses this module too, and has an option of its own
SIMULATORS = tuple(sim for sim in ALL_SIMULATORS if (os.environ.get("SIM") or sim) == sim)

REWRITTEN = "tb/*.py"  # where a failed assertion shows its values; cocotb's default takes numpy and all else too
# cocotb takes pytest's rewriting of assertions alone; plugins that other packages bring would be imported with it
NO_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
# Icarus frees and takes memory in every cycle: without these the C library gives it back to the system each time, which
# costs more than a third of a long run, and Verilator's program under cocotb some percent
MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(1 << 28), "MALLOC_TOP_PAD_": str(1 << 24)}
# cocotb trusts Verilator to write behind an edge, a callback less for each; its make files say so, its runner does not
TRUST = {"icarus": {}, "verilator": {"COCOTB_TRUST_INERTIAL_WRITES": "1"}}
TEST_ARGUMENTS = {"icarus": [], "verilator": ["+verilator+rand+reset+2", "+verilator+seed+1"]}


def simulate(built: "Build", test_module, folder: Path, testcase=None, environment=None) -> tuple[Path, Path]:
    """Run a build's cocotb tests in `folder`; returns the results file, which may be missing, and the log."""
    from cocotb_tools.runner import get_runner

    from llama2_myhdl.sim import casts
    from llama2_myhdl.sim.counts import counts_file
    from llama2_myhdl.sim.startup import ENTRY_POINTS

    results, log = folder / "results.xml", folder / "test.log"
    results.unlink(missing_ok=True)
    waves = [f"+dumpfile_path={folder / (built.top + '.fst')}"] if built.sim == "icarus" else []
    remembered = casts.environment() if built.sim == "icarus" else {}
    counts = [f"+verilator+coverage+file+{counts_file(built.top)}"] if built.extras.coverage else []
    runner = get_runner(built.sim)
    try:
        runner.test(test_module=test_module, hdl_toplevel=built.top, hdl_toplevel_lang="verilog",
                    build_dir=built.folder, test_dir=folder, results_xml=str(results), testcase=testcase, log_file=log,
                    test_args=[*TEST_ARGUMENTS[built.sim], *counts], plusargs=waves, waves=built.extras.waves,
                    extra_env={"COCOTB_ANSI_OUTPUT": "0", "COCOTB_REWRITE_ASSERTION_FILES": REWRITTEN, **NO_PLUGINS,
                               "PYGPI_USERS": ENTRY_POINTS, **MEMORY, **remembered, **TRUST[built.sim],
                               **(environment or {})})  # fmt: skip
    except (SystemExit, RuntimeError):
        pass  # tests that failed, or a simulator that died: the results and the log tell
    return results, log


def run(block, arguments, test_module, sim, name=None, parameters=None, tests=None, testcase=None, build_args=(),
        shown=None, through=None):  # fmt: skip
    """Build a block and run the cocotb tests of a module on it; fails unless all ran and passed.

    block, arguments, sim, name, build_args, shown, through: as for `build`. test_module: import name of the cocotb
    tests, usually `__name__`. parameters: JSON-able dict that the tests get from `test_parameters()`. tests: how many
    must run, if known. testcase: name or names of the cocotb tests to run, else all. Returns the number that ran.
    """
    from llama2_myhdl.sim.build import NOTHING, build

    built = build(block, arguments, sim, name, build_args, shown or NOTHING, through=through)
    # a folder for each test, so that tests of one build can run at the same time
    current = os.environ.get("PYTEST_CURRENT_TEST", "run").split("/")[-1].split(" ")[0].replace(".py::", ".")
    folder = built.folder / "".join(c if c.isalnum() or c in "-_." else "_" for c in current)
    folder.mkdir(exist_ok=True)
    given = folder / "parameters.json"
    given.write_text(json.dumps(parameters or {}))
    results, log = simulate(built, test_module, folder, testcase, {PARAMETERS: str(given)})
    return check_results(results, log, tests)


def check_results(results, log, tests=None):
    """Number of cocotb tests in a results file; AssertionError unless there are some and all passed."""
    import xml.etree.ElementTree as ElementTree

    tail = "".join(open(log, errors="replace").readlines()[-60:]) if Path(log).exists() else "(no log)"
    assert Path(results).exists(), f"the simulation wrote no results; its log ends:\n{tail}"
    cases = list(ElementTree.parse(results).iter("testcase"))
    bad = [case.get("name") for case in cases if any(e.tag in ("failure", "error", "skipped") for e in case)]
    assert not bad, f"{len(bad)} of {len(cases)} cocotb tests did not pass: {', '.join(bad)}; the log ends:\n{tail}"
    assert cases, f"no cocotb test ran; the log ends:\n{tail}"
    assert tests in (None, len(cases)), f"{len(cases)} cocotb tests ran, expected {tests}"
    return len(cases)


def test_parameters():
    """In a cocotb test: the `parameters` of the `run` that started it."""
    return json.loads(Path(os.environ[PARAMETERS]).read_text())


test_parameters.__test__ = False  # pytest must not take it for a test
