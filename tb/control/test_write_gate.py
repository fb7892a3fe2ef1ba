"""write_gate: as read_gate, on AW; words and responses pass at any time, and a burst is over with its response."""

import random

import cocotb
import pytest
from cocotb.triggers import FallingEdge, ReadOnly

from llama2_myhdl.rtl.control.write_gate import ports, write_gate
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.axi import ReadMaster

AXI = ReadMaster(data_bits=64, burst=16, depth=32, outstanding=4)
CYCLES, PHASE = 6000, 80


@pytest.mark.parametrize("sim", SIMULATORS)
def test_write_gate(sim):
    run(write_gate, ports(AXI), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def phases(dut):
    rng, offered, under_way = random.Random(9), False, 0
    drives = "s_awvalid s_awaddr m_awready s_wvalid s_wdata s_wstrb m_wready m_bvalid m_bresp s_bready stop"
    for name in drives.split():
        getattr(dut, name).value = 0
    await start(dut)
    wanted = held = False
    quiets = stopped = late = words = 0
    for now in range(CYCLES):
        await FallingEdge(dut.clk)
        stop = now // PHASE % 2 == 1
        if not offered:
            offered = rng.random() < 0.5
            dut.s_awaddr.value = rng.getrandbits(AXI.address_bits)
        room = under_way < AXI.outstanding
        ready, word, takes = rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.5
        answer, heard = under_way > 0 and rng.random() < 0.3, rng.random() < 0.5
        dut.s_awvalid.value, dut.m_awready.value, dut.stop.value = int(offered and room), int(ready), int(stop)
        dut.s_wvalid.value, dut.m_wready.value = int(word), int(takes)
        dut.s_wdata.value, dut.s_wstrb.value = rng.getrandbits(AXI.data_bits), rng.getrandbits(AXI.word_bytes)
        dut.m_bvalid.value, dut.s_bready.value, dut.m_bresp.value = int(answer), int(heard), rng.randrange(4)
        assert dut.quiet.value == int(wanted)
        quiets += wanted
        await ReadOnly()
        passes = offered and room and (held or not stop)
        assert dut.m_awvalid.value == int(passes) and dut.s_awready.value == int(ready and (held or not stop))
        assert dut.m_awaddr.value == dut.s_awaddr.value and dut.m_wdata.value == dut.s_wdata.value
        assert dut.m_wstrb.value == dut.s_wstrb.value and dut.s_bresp.value == dut.m_bresp.value
        assert dut.m_wvalid.value == int(word) and dut.s_wready.value == int(takes)
        assert dut.s_bvalid.value == int(answer) and dut.m_bready.value == int(heard)
        words += word and takes and stop
        late += passes and stop
        stopped += offered and room and not passes
        wanted = stop and not held and not (passes and ready) and under_way == 0
        held = passes and not ready
        under_way += (passes and ready) - (answer and heard)
        offered = offered and not (passes and ready)
    assert quiets > 100 and stopped > 100 and late > 5 and words > 100
