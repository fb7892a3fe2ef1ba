"""write_gate: as read_gate, on AW; words and responses pass at any time, and a burst is over with its response."""

import cocotb
import pytest

from llama2_myhdl.rtl.control.write_gate import ports, write_gate
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.control import gates
from tb.control.gates import AXI


@pytest.mark.parametrize("sim", SIMULATORS)
def test_write_gate(sim):
    run(write_gate, ports(AXI), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def phases(dut):
    words = 0

    def drive(rng, under_way):
        word, takes, heard = (rng.random() < 0.5 for _ in range(3))
        answer = under_way > 0 and rng.random() < 0.3
        dut.s_wvalid.value, dut.m_wready.value = int(word), int(takes)
        dut.s_wdata.value, dut.s_wstrb.value = rng.getrandbits(AXI.data_bits), rng.getrandbits(AXI.word_bytes)
        dut.m_bvalid.value, dut.s_bready.value, dut.m_bresp.value = int(answer), int(heard), rng.randrange(4)
        return answer and heard

    def check(stop):
        nonlocal words
        for driven, seen in ((dut.s_wvalid, dut.m_wvalid), (dut.m_wready, dut.s_wready), (dut.s_wdata, dut.m_wdata),
                             (dut.s_wstrb, dut.m_wstrb), (dut.m_bvalid, dut.s_bvalid), (dut.s_bready, dut.m_bready),
                             (dut.m_bresp, dut.s_bresp)):  # fmt: skip
            assert seen.value == driven.value
        words += stop and dut.m_wvalid.value == 1 and dut.s_wready.value == 1

    await gates.phases(dut, "aw", drive, check)
    assert words > 100
