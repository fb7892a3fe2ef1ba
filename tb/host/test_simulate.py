"""A simulation that fails is one line, which names the log that is kept."""

import pytest

from llama2_myhdl.host.simulate import Job, SimulationError, events

FATAL = "fifo.v:12: $fatal: read while empty"


class DyingRunner:
    """Stands for cocotb's runner with a simulator that dies."""

    def __init__(self, log, error):
        self.log, self.error = log, error

    def test(self, log_file, **options):
        if self.log:
            log_file.write_text(self.log)
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError("Process terminated with error -6"), SystemExit(1)])
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_simulator_that_dies(error, tmp_path, capfd):
    with pytest.raises(SimulationError, match="wrote no results") as caught:
        list(events((DyingRunner(f"starts\n{FATAL}\n", error), "decoder", tmp_path, 1), "icarus", [Job([1], 1)]))
    (kept,) = tmp_path.iterdir()
    line = str(caught.value)
    assert "\n" not in line and str(kept) in line and FATAL in kept.read_text()
    assert capfd.readouterr() == ("", "")


def test_a_simulator_that_never_began(tmp_path):
    with pytest.raises(SimulationError, match="no log$"):
        list(events((DyingRunner(None, RuntimeError("died")), "decoder", tmp_path, 1), "icarus", [Job([1], 1)]))
