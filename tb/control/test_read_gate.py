"""read_gate: open, it is a wire; told to stop, no burst begins, what is offered goes on; quiet tells when all has."""

import random

import cocotb
import pytest
from cocotb.triggers import FallingEdge, ReadOnly

from llama2_myhdl.rtl.control.read_gate import ports, read_gate
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.axi import ReadMaster

AXI = ReadMaster(data_bits=64, burst=16, depth=32, outstanding=4)
CYCLES, PHASE = 6000, 80


@pytest.mark.parametrize("sim", SIMULATORS)
def test_read_gate(sim):
    run(read_gate, ports(AXI, 1), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def phases(dut):
    rng, offered, under_way = random.Random(9), False, 0
    pins = [dut.s_arvalid, dut.m_arready, dut.m_rvalid, dut.m_rlast, dut.s_rready, dut.stop, dut.s_araddr, dut.m_rdata]
    for pin in pins:
        pin.value = 0
    await start(dut)
    wanted = held = False
    quiets = stopped = late = 0
    for now in range(CYCLES):
        await FallingEdge(dut.clk)
        stop = now // PHASE % 2 == 1
        if not offered:
            offered = rng.random() < 0.5
            dut.s_araddr.value = rng.getrandbits(AXI.address_bits)
        room = under_way < AXI.outstanding
        ready, last = rng.random() < 0.5, rng.random() < 0.4
        data = under_way > 0 and rng.random() < 0.3
        dut.s_arvalid.value, dut.m_arready.value, dut.stop.value = int(offered and room), int(ready), int(stop)
        dut.m_rvalid.value, dut.m_rlast.value, dut.s_rready.value = int(data), int(last), 1
        dut.m_rdata.value = rng.getrandbits(AXI.data_bits)
        assert dut.quiet.value == int(wanted)
        quiets += wanted
        await ReadOnly()
        passes = offered and room and (held or not stop)
        assert dut.m_arvalid.value == int(passes) and dut.s_arready.value == int(ready and (held or not stop))
        assert dut.m_araddr.value == dut.s_araddr.value and dut.s_rdata.value == dut.m_rdata.value
        assert dut.s_rvalid.value == int(data) and dut.m_rready.value == 1
        late += passes and stop
        stopped += offered and room and not passes
        wanted = stop and not held and not (passes and ready) and under_way == 0
        held = passes and not ready
        under_way += (passes and ready) - (data and last)
        offered = offered and not (passes and ready)
    assert quiets > 100 and stopped > 100 and late > 5
