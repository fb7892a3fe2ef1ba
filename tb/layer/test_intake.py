"""The intake: one packet at a time, its position ahead of its vector, the next one held back until `done`."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.layer.intake import intake, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.presets import preset

BUILD = preset("nano").build
PACKET = dict(data=-BUILD.f_bits, seq=BUILD.seq_bits, pos=BUILD.pos_bits, scored=1, last=1)
PACKETS = 34


@pytest.mark.parametrize("sim", SIMULATORS)
def test_intake(sim):
    run(intake, ports(BUILD), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def one_at_a_time(dut):
    """Random packets, all queued at once: none enters before the one in front is done, none is lost."""
    rng = random.Random(7)
    dut.done.value = 0
    source = StreamSource(dut, "s", **PACKET)
    xs, positions = StreamSink(dut, "m_x", data=-BUILD.f_bits, last=1), StreamSink(dut, "m_pos", pos=BUILD.pos_bits)
    for port in (source, xs, positions):
        port.pause(rng, 0.3)
    starts = []

    async def watch():
        while True:
            await RisingEdge(dut.clk)
            if dut.start.value == 1:
                starts.append((int(dut.pos.value), int(dut.seq.value), int(dut.scored.value)))

    await start(dut)
    cocotb.start_soon(watch())
    packets = []
    for _ in range(PACKETS):
        pos, seq, size = rng.randrange(BUILD.max_seq), rng.randrange(1 << BUILD.seq_bits), rng.randrange(1, 6)
        data = [rng.randrange(-(1 << 31), 1 << 31) for _ in range(size)]
        label = dict(pos=pos, seq=seq, scored=rng.randrange(2))
        packets.append((label, data))
        source.send_nowait(*[dict(data=d, **label, last=int(k == size - 1)) for k, d in enumerate(data)])
    for number, (label, data) in enumerate(packets, 1):
        assert (await positions.recv())["pos"] == label["pos"]
        got = [await xs.recv() for _ in data]
        assert [beat["data"] for beat in got] == data
        assert [beat["last"] for beat in got] == [0] * (len(data) - 1) + [1]
        await ClockCycles(dut.clk, 20)
        assert starts == [tuple(each.values()) for each, _ in packets[:number]]
        assert not xs.queue and not positions.queue, "the next packet entered before the engine was done"
        assert {name: int(getattr(dut, name).value) for name in label} == label
        dut.done.value = 1
        await RisingEdge(dut.clk)
        dut.done.value = 0
    assert len(starts) == PACKETS and not source.queue
