"""event_queue: as many pulses as events, however they come."""
import random

import cocotb
import pytest
from cocotb.triggers import RisingEdge

from rtl.attention.event_queue import event_queue
from rtl.stream.stream import bit, uint
from tb.clock import start
from tb.runner import SIMULATORS, run

N, COUNT_BITS = 6, 10


@pytest.mark.parametrize("sim", SIMULATORS)
def test_event_queue(sim):
    ports = dict(clk=bit(), rst=bit(), events=uint(N), pulse=bit(), COUNT_BITS=COUNT_BITS)
    run(event_queue, ports, __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def pulses_match_events(dut):
    rng, sent, pulses = random.Random(8), 0, 0
    dut.events.value = 0
    await start(dut)
    for density in (0.0, 0.05, 1.0, 0.5, 0.0):
        for cycle in range(1000):
            events = sum((rng.random() < density) << k for k in range(N)) if cycle < 100 else 0
            dut.events.value = events
            sent += events.bit_count()
            await RisingEdge(dut.clk)
            pulses += int(dut.pulse.value)
        assert pulses == sent
    assert sent > 800
