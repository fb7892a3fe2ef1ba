"""The tape: what was booted comes out from front to back, over and over, a beat a cycle."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.memory.tape import ports, tape
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource

BITS = 32
DEPTH = 50
PART_BITS = 6


@pytest.mark.parametrize("sim", SIMULATORS)
def test_tape(sim):
    run(tape, ports(BITS, PART_BITS, DEPTH), __name__, sim, tests=5)


REST = 11  # boot beats behind those of the tape


async def boot(dut, parts, part_beats):
    """Boot a tape and some beats that are not its own; returns its beats and the sink."""
    source, sink = StreamSource(dut, "s", data=BITS, last=1), StreamSink(dut, "m", data=BITS)
    onward = StreamSink(dut, "m_boot", data=BITS, last=1)
    length = parts * part_beats
    rng = random.Random(length)
    dut.parts.value, dut.part_beats.value = parts, part_beats
    await start(dut)
    beats = [rng.randrange(1 << BITS) for _ in range(length + REST)]
    source.pause(rng, 0.3)
    onward.pause(rng, 0.3)
    sink.pause(rng, 0.4)
    await source.send(*[dict(data=b, last=int(k == length + REST - 1)) for k, b in enumerate(beats)])
    await onward.wait(REST)
    assert [beat["data"] for beat in onward.queue] == beats[length:]
    assert [beat["last"] for beat in onward.queue] == [0] * (REST - 1) + [1]
    return beats[:length], sink


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(size=[(1, 1), (7, 1), (3, 5), (5, DEPTH // 5)])
async def repeats(dut, size):
    """Tapes of one beat, an odd number and the full depth, each read for several rounds under back-pressure."""
    beats, sink = await boot(dut, *size)
    rounds = 5 * len(beats)
    await sink.wait(rounds)
    got = [beat["data"] for beat in sink.queue][:rounds]
    assert got == 5 * beats and len(got) == rounds


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_beat_a_cycle(dut):
    """Once started, no cycle is lost, not at the end of the tape either."""
    _, sink = await boot(dut, 1, 7)
    sink.pause(random.Random(0), 0.0)
    await sink.wait(20)
    before = sink.received
    await ClockCycles(dut.clk, 100)
    assert sink.received - before == 100
