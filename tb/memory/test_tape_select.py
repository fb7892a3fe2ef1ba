"""Two tapes in front of one reader: the selected one is read, the other one waits."""

import cocotb
import pytest
from cocotb.triggers import Timer

from llama2_myhdl.rtl.memory.tape_select import ports, tape_select
from llama2_myhdl.sim.runner import SIMULATORS, run


@pytest.mark.parametrize("sim", SIMULATORS)
def test_tape_select(sim):
    run(tape_select, ports(beat_bits=8), __name__, sim, tests=1)


@cocotb.test()
async def one_of_two(dut):
    """Every combination of selection, valid and ready."""
    dut.s_layers_data.value, dut.s_head_data.value = 17, 99
    for case in range(16):
        head, ready, valid = case & 1, case >> 1 & 1, (case >> 2 & 1, case >> 3 & 1)
        dut.from_head.value, dut.m_ready.value = head, ready
        dut.s_layers_valid.value, dut.s_head_valid.value = valid
        await Timer(1, "ns")
        assert (int(dut.m_valid.value), int(dut.m_data.value)) == (valid[head], (17, 99)[head])
        assert int(dut.s_head_ready.value) == (ready and head)
        assert int(dut.s_layers_ready.value) == (ready and not head)
