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
    there, back = ("wvalid", "wlast", "wdata", "wstrb", "bready"), ("wready", "bvalid", "bresp", "bid")
    ways = [("m", "s", name) for name in there] + [("s", "m", name) for name in back]
    passing = [(getattr(dut, f"{to}_{name}"), getattr(dut, f"{of}_{name}")) for to, of, name in ways]

    def drive(rng, under_way):
        for _, pin in passing:
            pin.value = rng.getrandbits(len(pin))
        answer, heard = under_way > 0 and rng.random() < 0.3, rng.random() < 0.5
        dut.m_bvalid.value, dut.s_bready.value = int(answer), int(heard)
        return answer and heard

    def check(stop):
        nonlocal words
        for seen, given in passing:
            assert seen.value == given.value
        words += stop and dut.m_wvalid.value == 1 and dut.s_wready.value == 1

    await gates.phases(dut, "aw", drive, check)
    assert words > 100
