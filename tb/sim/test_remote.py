"""A simulator of its own process that fails is one line, which names the log that is kept."""

from pathlib import Path

import pytest

from llama2_myhdl.sim import remote
from llama2_myhdl.sim.build import Build, build
from llama2_myhdl.sim.compiler import Extras
from llama2_myhdl.sim.remote import RemoteSimulator
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.sim.simulator import SimulationError
from tb.hdl.checked import MESSAGE, never_both, ports

FATAL = "fifo.v:12: $fatal: read while empty"


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Where simulators have their folders; nothing may stay behind in it."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setattr(remote.tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


class DyingRunner:
    """Stands for cocotb's runner with a simulator that dies."""

    def __init__(self, log, error):
        self.log, self.error = log, error

    def test(self, log_file, **options):
        if self.log:
            log_file.write_text(self.log)
        raise self.error


def dying(monkeypatch, folder, log, error):
    monkeypatch.setattr("cocotb_tools.runner.get_runner", lambda name: DyingRunner(log, error))
    return RemoteSimulator(Build("icarus", "decoder", folder, folder / "sim.vvp", Extras()))


@pytest.mark.parametrize("error", [RuntimeError("Process terminated with error -6"), SystemExit(1)])
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_simulator_that_dies(error, tmp_path, scratch, monkeypatch, capfd):
    built = tmp_path / "built"
    built.mkdir()
    with pytest.raises(SimulationError, match="wrote no results") as caught:
        dying(monkeypatch, built, f"starts\n{FATAL}\n", error)
    (kept,) = built.iterdir()
    line = str(caught.value)
    assert "\n" not in line and str(kept) in line and FATAL in kept.read_text()
    assert capfd.readouterr() == ("", "")


def test_a_simulator_that_never_began(tmp_path, scratch, monkeypatch):
    with pytest.raises(SimulationError, match="no log$"):
        dying(monkeypatch, tmp_path, None, RuntimeError("died"))


@pytest.mark.parametrize("sim", SIMULATORS)
def test_a_check_that_fires_is_one_line(sim, scratch):
    """It names the log, the log names the message; closing what has died does nothing."""
    with RemoteSimulator(build(never_both, ports(), sim)) as simulator:
        simulator.set(rst=1, a=0, b=1)
        simulator.run(3)
        simulator.set(rst=0)
        simulator.run(3)
        simulator.set(a=1)
        with pytest.raises(SimulationError, match="the simulator's messages are in ") as caught:
            simulator.run(10)
    line = str(caught.value)
    assert "\n" not in line
    assert f"never_both.u_watch: {MESSAGE}" in Path(line.rpartition(" in ")[2]).read_text()


@pytest.mark.parametrize("sim", SIMULATORS)
def test_nothing_stays_behind(sim, scratch):
    """Nor when it is closed while it could still go on, or twice."""
    simulator = RemoteSimulator(build(never_both, ports(), sim))
    simulator.set(rst=1, a=0, b=0)
    simulator.run(5)
    assert simulator.cycle == 5
    simulator.close()
    simulator.close()


def test_a_pin_that_is_not_there(scratch):
    with RemoteSimulator(build(never_both, ports(), SIMULATORS[0])) as simulator:
        assert simulator.has("a") and not simulator.has("u_nowhere.x")
