"""The one way to build a block and run its cocotb tests: convert, build when sources changed, run, check the results.

Under pytest:

    @pytest.mark.parametrize("sim", SIMULATORS)
    def test_fifo(sim):
        run(fifo, ports, __name__, sim, DEPTH=4)

Environment: SIM=icarus or SIM=verilator leaves one simulator; WAVES=1 records waves (FST) next to the results.
"""
import fcntl
import hashlib
import json
import os
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cocotb
from cocotb_tools.runner import get_runner

from llama2_myhdl.golden.folders import GENERATED, PROJECT
from llama2_myhdl.rtl.hdl.hierarchy import convert
from llama2_myhdl.rtl.hdl.names import short_hash
from llama2_myhdl.rtl.hdl.ports import bind, parameters, port_dict, port_type
from llama2_myhdl.sim.verilator import add_to_path

if str(PROJECT) not in sys.path:
    sys.path.insert(0, str(PROJECT))  # the simulator's Python gets this path and must find the packages
SIM_BUILD = GENERATED
PARAMETERS = "TB_PARAMETERS"  # environment variable: the file with the test's parameters

ALL_SIMULATORS = ("icarus", "verilator")
# none for an unknown one, which tb/conftest.py refuses: the host uses this module too, and has an option of its own
SIMULATORS = tuple(sim for sim in ALL_SIMULATORS if (os.environ.get("SIM") or sim) == sim)

BUILD_ARGS = {
    "icarus": ["-Wall", "-Wno-timescale"],
    # registers start with random values, so a forgotten reset shows; MyHDL's expressions are wider than their targets
    "verilator": ["-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC", "-Wno-PROCASSINIT",
                  "--x-initial", "unique", "--x-assign", "unique"],
}
TEST_ARGS = {"icarus": [], "verilator": ["+verilator+rand+reset+2", "+verilator+seed+1"]}


def variant(block, arguments):
    """Folder name of one build: stands for the parameters and port types, the same in every run."""
    bound = bind(block.func, (), arguments)
    ports = port_dict(block.func, bound).items()
    return short_hash(repr((parameters(block.func, bound), [(name, port_type(sig)) for name, sig in ports])))


def build(block, arguments, sim, name=None, build_args=()):
    """Convert and build; returns (runner, top module's name, build folder). Does nothing that is done already.

    block: an @hblock; arguments: its ports and parameters by name; name: folder of the build, else from the arguments;
    build_args: more arguments for the simulator's compiler (give them a name of their own).
    """
    if sim == "verilator":
        add_to_path()
        if shutil.which("ccache"):
            os.environ.setdefault("OBJCACHE", "ccache")
    waves = os.environ.get("WAVES", "0") not in ("", "0")
    folder = SIM_BUILD / block.func.__name__ / (name or variant(block, arguments))
    build_dir = folder / (f"{sim}-waves" if waves else sim)
    build_dir.mkdir(parents=True, exist_ok=True)
    runner = get_runner(sim)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # MyHDL walks the call stack for every block; a thread has a shallow one, pytest's costs twice the time
        with ThreadPoolExecutor(1) as thread:
            modules = thread.submit(convert, block, folder / "verilog", **arguments).result()
        args = [*BUILD_ARGS[sim], *build_args] + (["--trace-fst"] if waves and sim == "verilator" else [])
        stamp = build_dir / "stamp"
        wanted = hashlib.sha256(repr([cocotb.__version__, sys.executable, args]).encode())
        for module in modules:
            wanted.update(module.file.read_bytes())
        if not stamp.exists() or stamp.read_text() != wanted.hexdigest():
            stamp.unlink(missing_ok=True)
            runner.build(sources=[module.file for module in modules], hdl_toplevel=modules[-1].name, always=True,
                         build_dir=build_dir, build_args=args, timescale=("1ns", "1ps"), waves=waves,
                         log_file=build_dir / "build.log")
            stamp.write_text(wanted.hexdigest())
    return runner, modules[-1].name, build_dir


def run(block, arguments, test_module, sim, name=None, parameters=None, tests=None, testcase=None, build_args=()):
    """Build a block and run the cocotb tests of a module on it; fails unless all ran and passed.

    block, arguments, sim, name, build_args: as for `build`. test_module: import name of the cocotb tests, usually
    `__name__`. parameters: JSON-able dict that the tests get from `test_parameters()`. tests: how many must run, if
    known. testcase: name or names of the cocotb tests to run, else all. Returns the number that ran.
    """
    runner, top, build_dir = build(block, arguments, sim, name, build_args)
    # a folder for each test, so that tests of one build can run at the same time
    current = os.environ.get("PYTEST_CURRENT_TEST", "run").split("/")[-1].split(" ")[0].replace(".py::", ".")
    test_dir = build_dir / "".join(c if c.isalnum() or c in "-_." else "_" for c in current)
    test_dir.mkdir(exist_ok=True)
    results, log, given = test_dir / "results.xml", test_dir / "test.log", test_dir / "parameters.json"
    given.write_text(json.dumps(parameters or {}))
    results.unlink(missing_ok=True)
    try:
        runner.test(test_module=test_module, hdl_toplevel=top, hdl_toplevel_lang="verilog", build_dir=build_dir,
                    test_dir=test_dir, results_xml=str(results), testcase=testcase, log_file=log,
                    test_args=TEST_ARGS[sim],
                    plusargs=[f"+dumpfile_path={test_dir / (top + '.fst')}"] if sim == "icarus" else [],
                    extra_env={PARAMETERS: str(given), "COCOTB_ANSI_OUTPUT": "0"})
    except (SystemExit, RuntimeError):
        pass  # tests that failed, or a simulator that died: the results and the log tell
    return check_results(results, log, tests)


def check_results(results, log, tests=None):
    """Number of cocotb tests in a results file; AssertionError unless there are some and all passed."""
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
