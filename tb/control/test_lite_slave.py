"""lite_slave before an AXI-Lite master that others have written (cocotbext-axi): every access once, in its turn."""

import random
from itertools import cycle

import cocotb
import pytest
from cocotb.triggers import FallingEdge, RisingEdge, gather
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from llama2_myhdl.rtl.control.lite_slave import lite_slave, ports
from llama2_myhdl.sim.axi import Channel
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.axi import SLVERR

ADDRESS_BITS, LATENCY, ACCESSES = 8, 5, 60
REFUSED = 0x40  # the bit of addresses that are answered with SLVERR


@pytest.mark.parametrize("sim", SIMULATORS)
def test_lite_slave(sim):
    run(lite_slave, ports(ADDRESS_BITS, LATENCY), __name__, sim, tests=3)


async def registers(dut, memory, seen):
    """What stands behind the slave: words, an answer that is right only when the address has stood still for long."""
    since, address = 0, None
    while True:
        await RisingEdge(dut.clk)
        now = (str(dut.address.value), str(dut.writing.value))
        since, address = (since + 1 if now == address else 0), now
        if dut.act.value == 1:
            assert since >= LATENCY - 1
            place = int(dut.address.value)
            writes = dut.writing.value == 1
            seen.append((place, int(writes), int(dut.whole.value) if writes else 0))
            if dut.writing.value == 1 and not place & REFUSED:
                memory[place] = int(dut.data.value)
        if set(now[0]) <= {"0", "1"}:
            place = int(dut.address.value)
            dut.value.value, dut.resp.value = memory.get(place, place), SLVERR if place & REFUSED else 0


async def rules(dut, held):
    """What is offered and not taken stands still."""
    channels = [Channel(dut, "s_axi", name, fields) for name, fields in (("b", ("bresp",)), ("r", ("rdata", "rresp")))]
    while True:
        await RisingEdge(dut.clk)
        for channel in channels:
            fields, taken = channel.step()
            held[channel.name] += fields is not None and not taken


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_access(dut):
    rng, memory, seen, held = random.Random(8), {}, [], {"s_axi_b": 0, "s_axi_r": 0}
    bus = AxiLiteBus.from_prefix(dut, "s_axi")
    for pin in ("awvalid", "wvalid", "arvalid", "bready", "rready"):
        getattr(dut, f"s_axi_{pin}").value = 0
    dut.value.value = dut.resp.value = 0
    await start(dut)
    master = AxiLiteMaster(bus, dut.clk, dut.rst)
    for half in (master.write_if, master.read_if):
        for name in ("aw_channel", "w_channel", "b_channel", "ar_channel", "r_channel"):
            if hasattr(half, name):
                getattr(half, name).set_pause_generator(cycle([rng.random() < 0.5 for _ in range(89)]))
    for task in (registers(dut, memory, seen), rules(dut, held)):
        cocotb.start_soon(task)

    async def writes():
        for k in range(ACCESSES):
            place = 4 * rng.randrange(32)
            answer = await master.write(place, (k << 16 | place).to_bytes(4, "little"))
            assert answer.resp == (AxiResp.SLVERR if place & REFUSED else AxiResp.OKAY)
            if not place & REFUSED:
                assert memory[place] == k << 16 | place

    async def reads():
        for _ in range(ACCESSES):
            place = 4 * rng.randrange(32)
            answer = await master.read(place, 4)
            assert answer.resp == (AxiResp.SLVERR if place & REFUSED else AxiResp.OKAY)
            assert int.from_bytes(answer.data, "little") & 0xFFFF == place

    await gather(writes(), reads())
    assert sum(writing for _, writing, _ in seen) == ACCESSES and len(seen) == 2 * ACCESSES
    assert all(whole for _, writing, whole in seen if writing) and min(held.values()) > 0
    await master.write(0, b"\x01")
    assert seen[-1] == (0, 1, 0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def nothing_is_up_in_reset(dut):
    """A reset in the cycle in which the slave is ready, or has an answer."""
    pins = ("awvalid", "wvalid", "arvalid", "bready", "rready", "awaddr", "araddr", "wdata", "wstrb")
    low = [getattr(dut, f"s_axi_{pin}") for pin in ("awready", "wready", "arready", "bvalid", "rvalid")]
    dut.value.value = dut.resp.value = 0
    for pin in pins:
        getattr(dut, f"s_axi_{pin}").value = 0
    await start(dut)
    for up, asked in (("awready", "awvalid"), ("wready", "wvalid"), ("arready", "arvalid"), ("bvalid", "awvalid"),
                      ("rvalid", "arvalid")):  # fmt: skip
        for pin in pins:
            getattr(dut, f"s_axi_{pin}").value = 0
        dut.rst.value = 0
        for pin in ("awvalid", "wvalid") if asked != "arvalid" else ("arvalid",):
            getattr(dut, f"s_axi_{pin}").value = 1
        while getattr(dut, f"s_axi_{up}").value != 1:
            await FallingEdge(dut.clk)  # ready is up for one cycle
        dut.rst.value = 1
        for _ in range(3):
            await RisingEdge(dut.clk)
        assert [int(pin.value) for pin in low] == [0] * len(low)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def both_wait(dut):
    """A read and a write that are always there take turns, a write first."""
    dut.value.value = dut.resp.value = 0
    for pin in ("awaddr", "araddr", "wdata", "wstrb"):
        getattr(dut, f"s_axi_{pin}").value = 0
    for pin in ("awvalid", "wvalid", "arvalid", "bready", "rready"):
        getattr(dut, f"s_axi_{pin}").value = 1
    await start(dut)
    turns = []
    while len(turns) < 8:
        await RisingEdge(dut.clk)
        if dut.act.value == 1:
            turns.append(int(dut.writing.value))
    assert turns == 4 * [1, 0]
