"""spill: all that goes in comes out, in order, within the cycle when nothing waits."""
import pytest

from llama2_myhdl.rtl.stream.spill import ports, spill
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.stream import buffer_cocotb
from tb.stream.buffer_cocotb import beats


@pytest.mark.parametrize("sim", SIMULATORS)
def test_spill(sim):
    expected = dict(capacity=1, latency=0, rate=100, registered=True)
    run(spill, ports(beats()), buffer_cocotb.__name__, sim, parameters=expected, tests=buffer_cocotb.TESTS)
