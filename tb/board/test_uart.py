"""The serial line's two ends against a model of the line: bits in time, rates that are a little off, faults of it."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from llama2_myhdl.rtl.board import bit_clock, uart_rx, uart_tx
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from tb.board.line import FRAME_BITS, Receiver, edges, levels

RATIOS = [(80, 3), (25, 1), (4, 1), (9, 2), (6250, 9)]  # 80 and 75 MHz at 3 Mbaud, the least, 80 MHz at 115,200


def some_bytes(count, seed=3):
    rng = random.Random(seed)
    return bytes([0, 255, 0x55, 0xAA, 1, 0x80, *(rng.randrange(256) for _ in range(count))])


@pytest.mark.parametrize("clock, baud, found", [(80_000_000, 3_000_000, (80, 3)), (75_000_000, 3_000_000, (25, 1)),
                                                (80_000_000, 115_200, (6250, 9)), (12, 3, (4, 1))])  # fmt: skip
def test_a_ratio_is_exact(clock, baud, found):
    assert bit_clock.ratio(clock, baud) == found


def test_a_rate_too_high_is_refused():
    with pytest.raises(ValueError, match="baud: must be at most 1/4 of the clock of 100 Hz, is 26"):
        bit_clock.ratio(100, 26)
    with pytest.raises(ValueError, match="START is 0 to 3, not 4"):
        bit_clock.bit_clock(**bit_clock.ports(4, 1, 4))


@pytest.mark.parametrize("clocks, bits", RATIOS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_transmitter(sim, clocks, bits):
    count = 4 if clocks > 1000 else 60
    parameters = dict(clocks=clocks, bits=bits, count=count)
    run(uart_tx.uart_tx, uart_tx.ports(clocks, bits), __name__, sim, testcase="bits_in_time", tests=1,
        parameters=parameters)  # fmt: skip


@pytest.mark.parametrize("clocks, bits", RATIOS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_receiver(sim, clocks, bits):
    count = 4 if clocks > 1000 else 60
    parameters = dict(clocks=clocks, bits=bits, count=count)
    names = ["takes_rates_that_are_off", "drops_what_is_no_byte"]
    names += ["a_byte_is_taken_as_the_next_one_ends"] if clocks < 1000 else []  # as many bytes as cycles that are tried
    ports = uart_rx.ports(clocks, bits)
    run(uart_rx.uart_rx, ports, __name__, sim, testcase=names, tests=len(names), parameters=parameters)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def bits_in_time(dut):
    """The model, which refuses a bit that changes in its midst, reads what was sent; ten bits and a cycle each."""
    given = test_parameters()
    clocks, bits, data = given["clocks"], given["bits"], some_bytes(given["count"])
    source = StreamSource(dut, "s", data=8)
    await start(dut)
    source.send_nowait(*[dict(data=byte) for byte in data])
    cycle, changes, before = 0, [], 1
    end = len(data) * (FRAME_BITS * clocks // bits + 2) + 20
    while cycle < end:
        await FallingEdge(dut.clk)
        level = int(dut.txd.value)
        if level != before:
            changes.append((cycle, level))
        before, cycle = level, cycle + 1
    receiver = Receiver(clocks, bits)
    assert receiver.feed(changes, cycle) == data
    first, last = changes[0][0], receiver._free
    assert last - first <= len(data) * (-(-FRAME_BITS * clocks // bits) + 1)


async def send(dut, changes, idle):
    """Drive the line: each (cycle, level) counts from now; then it is high for so many cycles."""
    cycle = 0
    for at, level in changes:
        if at > cycle:
            await ClockCycles(dut.clk, at - cycle)
            cycle = at
        dut.rxd.value = level
    await ClockCycles(dut.clk, idle // 2)
    dut.rxd.value = 1
    await ClockCycles(dut.clk, idle)


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def takes_rates_that_are_off(dut):
    """Bytes one behind the other, of a sender that is as fast, 2 % faster or 2 % slower, begun at any time."""
    given = test_parameters()
    clocks, bits, data = given["clocks"], given["bits"], some_bytes(given["count"])
    sink = StreamSink(dut, "m", data=8)
    dut.rxd.value = 1
    await start(dut)
    await ClockCycles(dut.clk, 5)
    # where a bit has few cycles, one of them is more than 2 % of ten bits
    rates = (1000, 980, 1020) if clocks >= 20 * bits else (1000,)
    for rate in rates:
        sink.queue.clear()
        await send(dut, edges(data, clocks * rate, bits * 1000), 12 * clocks // bits)
        assert bytes(item["data"] for item in sink.queue) == data
    assert sink.received == len(rates) * len(data)


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def drops_what_is_no_byte(dut):
    """A glitch, a byte without a stop bit, a break, and a byte that nobody takes; good ones come through between."""
    given = test_parameters()
    clocks, bits = given["clocks"], given["bits"]
    a_bit = -(-clocks // bits)
    sink = StreamSink(dut, "m", data=8)
    dut.rxd.value = 1
    await start(dut)
    await ClockCycles(dut.clk, 5)
    await send(dut, [(0, 0), (max(1, a_bit // 4), 1)], 12 * a_bit)  # a start bit that is none
    await send(dut, edges(b"\x12", clocks, bits), 3 * a_bit)
    no_stop = [(k * clocks // bits, level) for k, level in enumerate([*levels(0x34)[:9], 0])]
    await send(dut, no_stop, 12 * a_bit)
    await send(dut, edges(b"\x56", clocks, bits), 3 * a_bit)
    await send(dut, [(0, 0), (40 * a_bit, 1)], 12 * a_bit)  # a break
    await send(dut, edges(b"\x78", clocks, bits), 3 * a_bit)
    assert [item["data"] for item in sink.queue] == [0x12, 0x56, 0x78]
    sink.pause(random.Random(1), 1)
    await RisingEdge(dut.clk)
    await send(dut, edges(b"\x9a\xbc", clocks, bits), 3 * a_bit)
    sink.pause(None, 0)
    await ClockCycles(dut.clk, 5)
    assert [item["data"] for item in sink.queue][3:] == [0x9A]


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def a_byte_is_taken_as_the_next_one_ends(dut):
    """In the very cycle, a little sooner and a little later: the next one is there, or too late, and never another."""
    given = test_parameters()
    clocks, bits, data = given["clocks"], given["bits"], b"\x9a\x35"
    frame = FRAME_BITS * clocks // bits
    dut.rxd.value = 1
    await start(dut)

    async def taken(when):
        """What comes when ready is up in one cycle alone, and then behind both; when the first byte was there."""
        dut.m_ready.value, dut.rst.value = 0, 1
        await ClockCycles(dut.clk, 2)
        dut.rst.value = 0
        sending, found, there = cocotb.start_soon(send(dut, edges(data, clocks, bits), frame)), [], None
        cycle = 0
        while cycle < 4 * frame:
            await FallingEdge(dut.clk)
            valid = dut.m_valid.value == 1
            there = cycle if valid and there is None else there
            ready = cycle == when or cycle > 3 * frame
            dut.m_ready.value = int(ready)
            if valid and ready:
                found.append(int(dut.m_data.value))
            cycle += 1
        await sending
        return bytes(found), there

    alone, there = await taken(None)
    assert alone == data[:1]
    found = [(await taken(there + frame + off))[0] for off in range(-3, 4)]
    both = found.count(data)
    assert 0 < both < len(found) and found == both * [data] + (len(found) - both) * [data[:1]]
