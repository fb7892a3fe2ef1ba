"""The tape: what was booted comes out from front to back, over and over, a beat a cycle."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from rtl.memory.tape import tape
from rtl.stream.stream import Stream, bit, uint
from tb.clock import start
from tb.runner import SIMULATORS, run
from tb.stream.drivers import StreamSink, StreamSource

BITS = 32
DEPTH = 50


def ports():
    return dict(clk=bit(), rst=bit(), s=Stream(data=uint(BITS), last=bit()), m=Stream(data=uint(BITS)), DEPTH=DEPTH)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_tape(sim):
    run(tape, ports(), __name__, sim, tests=4)


async def boot(dut, length):
    source, sink = StreamSource(dut, "s", data=BITS, last=1), StreamSink(dut, "m", data=BITS)
    rng = random.Random(length)
    await start(dut)
    beats = [rng.randrange(1 << BITS) for _ in range(length)]
    source.pause(rng, 0.3)
    await source.send(*[dict(data=b, last=int(k == length - 1)) for k, b in enumerate(beats)])
    return beats, sink, rng


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(length=[1, 7, DEPTH])
async def repeats(dut, length):
    """Tapes of one beat, an odd number and the full depth, each read for several rounds under back-pressure."""
    beats, sink, rng = await boot(dut, length)
    sink.pause(rng, 0.4)
    await sink.wait(5 * length)
    got = [beat["data"] for beat in sink.queue][: 5 * length]
    assert got == 5 * beats and len(got) == 5 * length


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_beat_a_cycle(dut):
    """Once started, no cycle is lost, not at the end of the tape either."""
    _, sink, _ = await boot(dut, 7)
    await sink.wait(1)
    before = sink.received
    await ClockCycles(dut.clk, 100)
    assert sink.received - before == 100
