"""skid: two entries, every output a register, full rate."""
import pytest

from llama2_myhdl.rtl.stream.skid import ports, skid
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.stream import buffer_cocotb
from tb.stream.buffer_cocotb import beats


@pytest.mark.parametrize("sim", SIMULATORS)
def test_skid(sim):
    expected = dict(capacity=2, latency=1, rate=100, registered=True)
    run(skid, ports(beats()), buffer_cocotb.__name__, sim, parameters=expected, tests=buffer_cocotb.TESTS)
