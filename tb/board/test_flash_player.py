"""The player of a flash: the recording and nothing else, whatever stands in the flash, at the host's word no more."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, FallingEdge

from llama2_myhdl.rtl.board.flash_player import BYTE_CYCLES, HALF_BITS, flash_player, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink
from llama2_myhdl.spec.recording import MAGIC, MOST, PLACE, recorded
from tb.board.flash import Flash

LINE = random.Random(7).randbytes(80)
HEADER = 8


@pytest.mark.parametrize("sim", SIMULATORS)
def test_flash_player(sim):
    names = ["a_recording_is_played_once", "without_magic_nothing_is_played", "it_stops_when_it_is_told"]
    names.append("its_clock_is_even")
    run(flash_player, ports(), __name__, sim, testcase=names, tests=len(names))


def test_a_recording_has_its_length():
    assert recorded(b"abc") == MAGIC + bytes([3, 0, 0, 0]) + b"abc"
    assert PLACE + MOST == 1 << 24
    for size in (0, MOST - HEADER + 1):
        with pytest.raises(ValueError, match=f"recording: must have 1 to 14,680,056 bytes, has {size:,}"):
            recorded(bytes(size))


async def attach(dut, content):
    """The block out of reset with a flash at its pins."""
    dut.stop.value, dut.miso.value = 0, 1
    flash, sink = Flash(content, PLACE), StreamSink(dut, "m", data=8)
    await start(dut)

    async def follow():
        while True:
            await FallingEdge(dut.clk)
            dut.miso.value = flash.pins(*(int(pin.value) for pin in (dut.cs_n, dut.sck, dut.mosi)))

    cocotb.start_soon(follow())
    return flash, sink


def heard(sink):
    return bytes(item["data"] for item in sink.queue)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def a_recording_is_played_once(dut):
    """With and without pauses behind it; the clock runs before the flash is selected, and rests at the end."""
    for wait in (0, 0.99):
        flash, sink = await attach(dut, recorded(LINE) + b"more")
        sink.pause(random.Random(3), wait)
        await sink.wait(len(LINE))
        await ClockCycles(dut.clk, 10 * BYTE_CYCLES)
        assert heard(sink) == LINE
        assert flash.addresses == [PLACE] and flash.lost == 32
        assert (int(dut.cs_n.value), int(dut.sck.value)) == (1, 0)
        if not wait:
            begin = sink.received
            assert begin == len(LINE)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def without_magic_nothing_is_played(dut):
    """An empty flash, other bytes, and a byte of the magic that is wrong."""
    good = recorded(LINE)
    for content in (b"", bytes(100), *(good[:k] + bytes([good[k] ^ 1]) + good[k + 1 :] for k in range(len(MAGIC)))):
        flash, sink = await attach(dut, content)
        await ClockCycles(dut.clk, 30 * BYTE_CYCLES)
        assert flash.addresses == [PLACE] and not sink.queue
        assert int(dut.cs_n.value) == 1


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def it_stops_when_it_is_told(dut):
    flash, sink = await attach(dut, recorded(LINE))
    await sink.wait(20)
    dut.stop.value = 1
    await ClockCycles(dut.clk, 3)
    count = sink.received
    await ClockCycles(dut.clk, 10 * BYTE_CYCLES)
    assert sink.received == count <= 21 and heard(sink) == LINE[:count]
    assert (int(dut.cs_n.value), int(dut.sck.value)) == (1, 0)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def its_clock_is_even(dut):
    """Each half of the flash's clock lasts as long, and a byte comes every BYTE_CYCLES."""
    flash, sink = await attach(dut, recorded(LINE))
    cycle, before, edges, bytes_ = 0, 0, [], []
    while sink.received < len(LINE):
        await FallingEdge(dut.clk)
        cycle, level = cycle + 1, int(dut.sck.value)
        if level != before:
            edges.append(cycle)
        if dut.m_valid.value == 1:
            bytes_.append(cycle)
        before = level
    assert {b - a for a, b in zip(edges, edges[1:])} == {1 << HALF_BITS}
    assert {b - a for a, b in zip(bytes_, bytes_[1:])} == {BYTE_CYCLES} and len(bytes_) == len(LINE)
