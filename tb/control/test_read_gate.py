"""read_gate: open, it is a wire; told to stop, no burst begins, what is offered goes on; quiet tells when all has."""

import cocotb
import pytest

from llama2_myhdl.rtl.control.read_gate import ports, read_gate
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.control import gates
from tb.control.gates import AXI


@pytest.mark.parametrize("sim", SIMULATORS)
def test_read_gate(sim):
    run(read_gate, ports(AXI, 1), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def phases(dut):
    def drive(rng, under_way):
        last, data = rng.random() < 0.4, under_way > 0 and rng.random() < 0.3
        dut.m_rvalid.value, dut.m_rlast.value, dut.s_rready.value = int(data), int(last), 1
        dut.m_rdata.value = rng.getrandbits(AXI.data_bits)
        return data and last

    def check(stop):
        assert dut.s_rvalid.value == dut.m_rvalid.value and dut.s_rdata.value == dut.m_rdata.value
        assert dut.m_rready.value == 1

    await gates.phases(dut, "ar", drive, check)
