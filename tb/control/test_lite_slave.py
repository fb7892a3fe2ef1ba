"""lite_slave before an AXI-Lite master that others have written (cocotbext-axi): every access once, in its turn."""

import random
from itertools import cycle

import cocotb
import pytest
from cocotb.triggers import FallingEdge, RisingEdge, gather
from cocotbext.axi import AxiLiteBus, AxiLiteMaster

from llama2_myhdl.rtl.control.lite_slave import lite_slave, ports
from llama2_myhdl.sim.axi import Channel
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.axi import DECERR, OKAY, SLVERR
from llama2_myhdl.spec.control import WORD_BITS, WORD_BYTES

ADDRESS_BITS, LATENCY, ACCESSES = 8, 5, 60
REFUSED, NOWHERE = 0x40, 0x60  # bits of addresses that are answered with SLVERR, with DECERR
HANDSHAKES = ("awvalid", "wvalid", "arvalid", "bready", "rready")  # pins of a master


@pytest.mark.parametrize("sim", SIMULATORS)
def test_lite_slave(sim):
    run(lite_slave, ports(ADDRESS_BITS, LATENCY), __name__, sim, tests=3)


def answer_of(place):
    """How an address answers."""
    return DECERR if place & NOWHERE == NOWHERE else SLVERR if place & REFUSED else OKAY


class Registers:
    """What stands behind the slave: words, noise at first, and an answer that is right only when the address has stood
    still for long. seen: (address, whether it writes, whether whole words) of every access."""

    def __init__(self, dut, rng):
        self.dut, self.seen = dut, []
        self.words = [rng.getrandbits(WORD_BITS) for _ in range(1 << ADDRESS_BITS)]
        cocotb.start_soon(self._serve())

    async def _serve(self):
        dut, since, address = self.dut, 0, None
        while True:
            await RisingEdge(dut.clk)
            now = (str(dut.address.value), str(dut.writing.value))
            since, address = (since + 1 if now == address else 0), now
            known = set(now[0]) <= {"0", "1"}
            place = int(dut.address.value) if known else 0
            if dut.act.value == 1:
                assert since >= LATENCY - 1
                writes = dut.writing.value == 1
                self.seen.append((place, int(writes), int(dut.whole.value) if writes else 0))
                if writes and answer_of(place) == OKAY:
                    self.words[place] = int(dut.data.value)
            dut.value.value, dut.resp.value = self.words[place], answer_of(place)


async def rules(dut, held):
    """What is offered and not taken stands still."""
    channels = [Channel(dut, "s_axi", name, fields) for name, fields in (("b", ("bresp",)), ("r", ("rdata", "rresp")))]
    while True:
        await RisingEdge(dut.clk)
        for channel in channels:
            fields, taken = channel.step()
            held[channel.name] += fields is not None and not taken


def pins(dut, value, *names):
    """Set these pins of the bus."""
    for name in names:
        getattr(dut, f"s_axi_{name}").value = value


def rest(dut):
    """All that comes in is 0."""
    pins(dut, 0, *HANDSHAKES, "awaddr", "araddr", "wdata", "wstrb")
    dut.value.value = dut.resp.value = 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_access(dut):
    rng, held = random.Random(8), {"s_axi_b": 0, "s_axi_r": 0}
    bus = AxiLiteBus.from_prefix(dut, "s_axi")
    rest(dut)
    await start(dut)
    master = AxiLiteMaster(bus, dut.clk, dut.rst)
    for half in (master.write_if, master.read_if):
        for name in ("aw_channel", "w_channel", "b_channel", "ar_channel", "r_channel"):
            if hasattr(half, name):
                getattr(half, name).set_pause_generator(cycle([rng.random() < 0.5 for _ in range(89)]))
    behind = Registers(dut, rng)
    cocotb.start_soon(rules(dut, held))

    def anywhere(rest):
        """A word's address; reads and writes, which go on side by side, have words of their own."""
        return WORD_BYTES * (2 * rng.randrange(1 << ADDRESS_BITS - 3) + rest)

    async def writes():
        for _ in range(ACCESSES):
            place, data = anywhere(0), rng.randbytes(WORD_BYTES)
            before = behind.words[place]
            answer = await master.write(place, data)
            assert answer.resp == answer_of(place)
            assert behind.words[place] == (int.from_bytes(data, "little") if answer.resp == OKAY else before)

    async def reads():
        for _ in range(ACCESSES):
            place = anywhere(1)
            answer = await master.read(place, WORD_BYTES)
            assert answer.resp == answer_of(place)
            assert int.from_bytes(answer.data, "little") == behind.words[place]

    await gather(writes(), reads())
    assert sum(writing for _, writing, _ in behind.seen) == ACCESSES and len(behind.seen) == 2 * ACCESSES
    assert all(whole for _, writing, whole in behind.seen if writing) and min(held.values()) > 0
    await master.write(0, b"\x01")
    assert behind.seen[-1] == (0, 1, 0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def nothing_is_up_in_reset(dut):
    """A reset in the cycle in which the slave is ready, or has an answer."""
    low = [getattr(dut, f"s_axi_{pin}") for pin in ("awready", "wready", "arready", "bvalid", "rvalid")]
    rest(dut)
    await start(dut)
    for up, asked in (("awready", "awvalid"), ("wready", "wvalid"), ("arready", "arvalid"), ("bvalid", "awvalid"),
                      ("rvalid", "arvalid")):  # fmt: skip
        rest(dut)
        dut.rst.value = 0
        pins(dut, 1, *(("awvalid", "wvalid") if asked != "arvalid" else ("arvalid",)))
        while getattr(dut, f"s_axi_{up}").value != 1:
            await FallingEdge(dut.clk)  # ready is up for one cycle
        dut.rst.value = 1
        for _ in range(3):
            await RisingEdge(dut.clk)
        assert [int(pin.value) for pin in low] == [0] * len(low)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def both_wait(dut):
    """A read and a write that are always there take turns, a write first."""
    rest(dut)
    pins(dut, 1, *HANDSHAKES)
    await start(dut)
    turns = []
    while len(turns) < 8:
        await RisingEdge(dut.clk)
        if dut.act.value == 1:
            turns.append(int(dut.writing.value))
    assert turns == 4 * [1, 0]
