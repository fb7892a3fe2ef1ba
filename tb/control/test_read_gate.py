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
    names = ("rvalid", "rlast", "rdata", "rresp", "rid")
    given, seen = ([getattr(dut, f"{side}_{name}") for name in names] for side in "ms")

    def drive(rng, under_way):
        valid, last, heard = under_way > 0 and rng.random() < 0.5, rng.random() < 0.4, rng.random() < 0.8
        others = [rng.getrandbits(len(pin)) for pin in given[2:]]
        for pin, value in zip((*given, dut.s_rready), (int(valid), int(last), *others, int(heard))):
            pin.value = value
        return valid and last and heard

    def check(stop):
        assert [pin.value for pin in seen] == [pin.value for pin in given]
        assert dut.m_rready.value == dut.s_rready.value

    await gates.phases(dut, "ar", drive, check)
