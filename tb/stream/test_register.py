"""register: one entry at full rate; ready passes through."""
import pytest

from llama2_myhdl.rtl.stream.register import ports, register
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.stream import buffer_cocotb
from tb.stream.buffer_cocotb import beats


@pytest.mark.parametrize("sim", SIMULATORS)
def test_register(sim):
    expected = dict(capacity=1, latency=1, rate=100, registered=False)
    run(register, ports(beats()), buffer_cocotb.__name__, sim, parameters=expected, tests=buffer_cocotb.TESTS)
