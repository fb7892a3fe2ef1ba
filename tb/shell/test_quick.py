"""`--quick`: each build of a test in one simulator, the first one in both."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest
sims = pytest.mark.parametrize("sim", ["icarus", "verilator"])
builds = pytest.mark.parametrize("build", [1, 2, 3])
@builds
@sims
def test_builds(sim, build): pass
@pytest.mark.long_runs
@builds
@sims
def test_long(sim, build): pass
@pytest.mark.long_runs(0)
@sims
def test_whole(sim): pass
@sims
def test_one(sim): pass
@pytest.mark.parametrize("sim", ["verilator", "icarus"])
class TestThat:
    @builds
    def test_builds(self, sim, build): pass
@pytest.mark.parametrize("sim, build", [("icarus", 1), ("verilator", 2), ("verilator", 3)])
def test_each_its_own(sim, build): pass
@pytest.mark.parametrize("sim", ["verilator-cocotb", "icarus"])
def test_sessions(sim): pass
@builds
def test_without(build): pass
"""


def collected(folder, *options):
    """Names of the tests that would run."""
    command = [sys.executable, "-m", "pytest", "-q", "--co", "-p", "no:cacheprovider", "-p", "tb.quick"]
    command += ["--rootdir", folder, *options]
    done = subprocess.run([*command, folder], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    return [line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    return tmp_path


def test_what_the_other_simulator_runs_is_left_out(folder):
    everything, left = collected(folder), collected(folder, "--quick")
    assert len(everything) == 30 and [name for name in everything if name in left] == left
    assert set(everything) - set(left) == {
        *(f"test_builds[verilator-{build}]" for build in (2, 3)),
        *(f"test_long[icarus-{build}]" for build in (2, 3)),
        "test_whole[icarus]",
        *(f"TestThat::test_builds[{build}-verilator]" for build in (2, 3)),
    }


def test_one_simulator_alone_runs_every_build(folder):
    left = collected(folder, "--quick", "-k", "not icarus")
    assert left == [name for name in collected(folder) if "icarus" not in name] and len(left) == 17
