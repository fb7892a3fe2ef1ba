"""event_queue: as many pulses as events, however they come."""
import random

import cocotb
import pytest
from cocotb.triggers import RisingEdge

from llama2_myhdl.rtl.attention.event_queue import event_queue, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters

COUNT_BITS = 12


@pytest.mark.parametrize("strobes", (3, 6, 24, 31))
@pytest.mark.parametrize("sim", SIMULATORS)
def test_event_queue(sim, strobes):
    run(event_queue, ports(strobes, COUNT_BITS), __name__, sim, parameters=dict(strobes=strobes), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def pulses_match_events(dut):
    rng, sent, pulses = random.Random(8), 0, 0
    strobes = test_parameters()["strobes"]
    dut.events.value = 0
    await start(dut)
    for density in (0.0, 0.05, 1.0, 0.5, 0.0):
        for cycle in range(100 * strobes + 100):
            events = sum((rng.random() < density) << k for k in range(strobes)) if cycle < 100 else 0
            dut.events.value = events
            sent += events.bit_count()
            await RisingEdge(dut.clk)
            pulses += int(dut.pulse.value)
        assert pulses == sent
    assert sent > 100 * strobes
