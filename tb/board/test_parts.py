"""The small parts of a board: bytes to beats, two streams into one, the watch, the inquiry, the lights."""

import random
import zlib

import cocotb
import pytest
from cocotb.triggers import ClockCycles, FallingEdge

from llama2_myhdl.rtl.board import beats, crc32, inquiry, leds, merge, watch
from llama2_myhdl.rtl.board.event import event_stream, pack_body, unpack_body
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.sim.clock import start, start_clock
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.counters import COUNTER_BITS
from llama2_myhdl.spec.link import ANSWER, CRC_START, CYCLES, DESCRIBED, LIMITS, PROMPT, packed, unpacked
from llama2_myhdl.spec.presets import preset
from tb.bench import TRAFFIC, traffic
from tb.myhdl_sim import simulate

BUILD = preset("nano").build
BYTES = BUILD.beat_bits // 8
HOLD = 4
STATIONS = 8
FRAME = 79  # bits of what is merged, the topmost of which tells the source


@pytest.mark.parametrize("sim", SIMULATORS)
@pytest.mark.parametrize(
    "block, arguments, test",
    [
        (beats.beats, beats.ports(BUILD), "bytes_become_beats"),
        (merge.merge, merge.ports(Stream(tag=uint(FRAME), last=bit())), "all_pass_and_the_first_goes_first"),
        (watch.watch, watch.ports(), "changes_are_told"),
        (inquiry.inquiry, inquiry.ports(BUILD, STATIONS.bit_length() - 1), "every_value_is_found"),
        (leds.leds, leds.ports(HOLD), "lights_stay_long_enough"),
    ],
    ids=["beats", "merge", "watch", "inquiry", "leds"],
)
def test_part(sim, block, arguments, test):
    run(block, arguments, __name__, sim, testcase=test, tests=1)


def test_crc_in_myhdl():
    """As zlib has it, byte for byte."""
    data = random.Random(2).randbytes(100)
    restart = dict(restart=True, enable=False, data=0)
    inputs = [restart, *(dict(restart=False, enable=True, data=byte) for byte in data)]
    found = simulate(crc32.crc32, crc32.ports(), inputs, ["crc"], 1)
    assert [row["crc"] ^ CRC_START for row in found] == [zlib.crc32(data[:k]) for k in range(len(data) + 1)]


def test_bodies_are_packed_in_whole():
    fields = dict(token=0x123456, steps=0x789ABC, seq=0xDE, score=1, last=0)
    assert packed(PROMPT, **fields).hex() == "563412bc9a78de01"
    assert unpacked(PROMPT, packed(PROMPT, **fields)) == fields
    with pytest.raises(ValueError, match="seq: must be 0 to 255, is 256"):
        packed(PROMPT, **fields | dict(seq=256))
    with pytest.raises(ValueError, match="expected"):
        packed(PROMPT, token=1)


def test_a_field_that_does_not_fit_the_link_is_refused():
    wide = uint(25)
    with pytest.raises(ValueError, match="token: the link has 24 bits for it, this build needs 25"):
        unpack_body(PROMPT, event_stream().body, token=wide)
    with pytest.raises(ValueError, match="reason: the link has 8 bits for it, this build needs 25"):
        pack_body(ANSWER, event_stream().body, reason=wide)
    with pytest.raises(ValueError, match="no field other"):
        pack_body(ANSWER, event_stream().body, reason=0, other=1)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def bytes_become_beats(dut):
    """Images of any length; the last beat of one that is no whole number of beats comes too, its bytes wherever."""
    rng = random.Random(3)
    source, sink = StreamSource(dut, "s", data=8, last=1), StreamSink(dut, "m", data=BUILD.beat_bits, last=1)
    await start(dut)
    lengths = []

    def batch():
        sent = []
        for size in (*rng.sample(range(1, 40), 8), BYTES, 1, 3 * BYTES):
            lengths.append(size)
            sent += [dict(data=rng.randrange(256), last=int(k == size - 1)) for k in range(size)]
        return sent

    sent = []
    for idle, wait in TRAFFIC:
        source.pause(rng, idle)
        sink.pause(rng, wait)
        sent += (fresh := batch())
        await source.send(*fresh)
    wanted = sum(-(-size // BYTES) for size in lengths)
    await sink.wait(wanted)
    await ClockCycles(dut.clk, 20)
    assert len(sink.queue) == wanted
    place = 0
    for size in lengths:
        image = bytes(item["data"] for item in sent[place : place + size])
        place += size
        for at in range(0, size, BYTES):
            beat, part = sink.queue.popleft(), image[at : at + BYTES]
            assert beat["last"] == int(at + BYTES >= size)
            if len(part) == BYTES:
                assert beat["data"].to_bytes(BYTES, "little") == part


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def all_pass_and_the_first_goes_first(dut):
    rng = random.Random(4)
    first, other = (StreamSource(dut, name, tag=FRAME, last=1) for name in ("s", "s_other"))
    sink = StreamSink(dut, "m", tag=FRAME, last=1)
    await start(dut)

    def payloads(first):
        return [dict(tag=first << FRAME - 1 | rng.getrandbits(FRAME - 1), last=rng.randrange(2)) for _ in range(60)]

    def of_first(item):
        return item["tag"] >> FRAME - 1

    background = [payload for _ in TRAFFIC for payload in payloads(0)]
    other.pause(rng, 0.3)
    other.send_nowait(*background)
    sent = await traffic(rng, first, sink, TRAFFIC, lambda: payloads(1))
    sink.pause(None, 0)
    await other.wait()
    await sink.wait(len(sent) + len(background))
    assert [item for item in sink.queue if of_first(item)] == sent
    assert [item for item in sink.queue if not of_first(item)] == background
    # with both there all the time, one a cycle and only the first one's
    sink.queue.clear()
    other.pause(None, 0)
    first.pause(None, 0)
    other.send_nowait(*payloads(0))
    first.send_nowait(*payloads(1))
    await first.wait()
    await ClockCycles(dut.clk, 3)
    assert sum(of_first(item) for item in sink.queue) == 60
    assert sum(not of_first(item) for item in list(sink.queue)[:58]) <= 2


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def changes_are_told(dut):
    """One beat a change; several while a beat waits are one, and none when it has changed back."""
    dut.loaded.value, dut.error.value = 0, 0
    sink = StreamSink(dut, "m", loaded=1, error=3)
    await start(dut)
    told, rng = [], random.Random(5)
    state = (0, 0)
    for _ in range(60):
        state, before = (rng.randrange(2), rng.randrange(8)), state
        dut.loaded.value, dut.error.value = state
        await ClockCycles(dut.clk, 5)
        if state != before:
            told.append(dict(loaded=state[0], error=state[1]))
    assert list(sink.queue) == told and len(told) > 40
    sink.queue.clear()
    sink.pause(rng, 1)
    await ClockCycles(dut.clk, 3)
    for state in ((1, 1), (1, 2), (0, 3), (1, 1)):
        dut.loaded.value, dut.error.value = state
        await ClockCycles(dut.clk, 3)
    sink.pause(None, 0)
    await ClockCycles(dut.clk, 10)
    assert list(sink.queue) == ([] if told[-1] == dict(loaded=1, error=1) else [dict(loaded=1, error=1)])


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def every_value_is_found(dut):
    """All bits of a counter and of the cycles, of every station."""

    def count(select, station):
        return (select * 0x6A09E667F3BD + station % STATIONS * 0xBB67AE8584CB) % (1 << COUNTER_BITS)

    start_clock(dut)
    rng = random.Random(6)
    for station in (0, 5, 2, 255, 7, 0, 8, 1):
        cycles = rng.getrandbits(COUNTER_BITS)
        dut.cycles.value = cycles
        for select in (*range(10), CYCLES, *(LIMITS + k for k in range(len(DESCRIBED)))):
            dut.select.value, dut.station.value = select, station
            # as the decoder: two cycles behind its pins
            await ClockCycles(dut.clk, 1)
            await FallingEdge(dut.clk)
            asked = int(dut.counter_select.value), int(dut.counter_station.value)
            await ClockCycles(dut.clk, 1)
            dut.counter_value.value = count(*asked)
            await ClockCycles(dut.clk, inquiry.LATENCY - 2)
            await FallingEdge(dut.clk)
            found = int(dut.value.value)
            if select >= LIMITS:
                assert found == getattr(BUILD, DESCRIBED[select - LIMITS])
            else:
                assert found == (cycles if select == CYCLES else count(select, station))


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def lights_stay_long_enough(dut):
    names = leds.LIGHTS
    for name in names[1:]:
        getattr(dut, name).value = 0
    await start(dut)

    def lit():
        value = int(dut.led.value)
        return {name for k, name in enumerate(names) if value >> k & 1} - {"alive"}

    await FallingEdge(dut.clk)
    assert lit() == set()
    for name in ("loading", "loaded", "failed"):
        getattr(dut, name).value = 1
        await FallingEdge(dut.clk)
        assert lit() == {name}
        getattr(dut, name).value = 0
        await FallingEdge(dut.clk)
    for gap in range(0, 2 << HOLD, 3):
        for name in ("token", "received", "sent"):
            await ClockCycles(dut.clk, gap)
            await FallingEdge(dut.clk)
            getattr(dut, name).value = 1
            await FallingEdge(dut.clk)
            getattr(dut, name).value = 0
            shone = 0
            while name in lit():
                shone += 1
                await FallingEdge(dut.clk)
            assert 1 << HOLD <= shone <= 2 << HOLD
    dut.damaged.value = 1
    await FallingEdge(dut.clk)
    dut.damaged.value = 0
    await ClockCycles(dut.clk, 4 << HOLD)
    await FallingEdge(dut.clk)
    assert lit() == {"damaged"}
    blinks = []
    for _ in range(16 << HOLD):
        await FallingEdge(dut.clk)
        blinks.append(int(dut.led.value) & 1)
    changes = [k for k in range(1, len(blinks)) if blinks[k] != blinks[k - 1]]
    assert len(changes) >= 3
    assert {b - a for a, b in zip(changes, changes[1:])} == {4 << HOLD}
