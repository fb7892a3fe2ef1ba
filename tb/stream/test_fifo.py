"""fifo: all that goes in comes out, in order, at full rate when nothing pauses."""
import pytest

from llama2_myhdl.rtl.stream.fifo import LATENCY, fifo, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.stream import buffer_cocotb
from tb.stream.buffer_cocotb import beats


@pytest.mark.parametrize("depth", [1, 2, 3, 8])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_fifo(sim, depth):
    expected = dict(capacity=depth + 1, latency=LATENCY, rate=100, registered=True)
    run(fifo, ports(beats(), depth), buffer_cocotb.__name__, sim, parameters=expected, tests=buffer_cocotb.TESTS)


def test_depth_is_checked():
    with pytest.raises(ValueError, match="DEPTH must be 1 or more, not 0"):
        fifo(**ports(beats(), 0))
