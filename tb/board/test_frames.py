"""Frames in and out: stuffing, checksums, and the store that lets only whole frames through."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.board.event import event_stream
from llama2_myhdl.rtl.board.frame_store import frame_store, frame_stream
from llama2_myhdl.rtl.board.seal import seal
from llama2_myhdl.rtl.board.spell import spell
from llama2_myhdl.rtl.board.stuff import stuff
from llama2_myhdl.rtl.board.unstuff import part_stream, unstuff
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.link import BODY_BYTES, END, ESCAPE
from tb.bench import TRAFFIC
from tb.board.line import frame, frames

DEPTH, WAITING = 64, 4  # so small that frames do not fit
BAD = (0, 1, 1)  # what stands for a damaged frame: data, last, bad


@hblock
def speaker(clk, rst, s, m):
    """From events to the line's bytes."""
    spelt, sealed = [Stream(data=uint(8), last=bit()) for _ in range(2)]
    return spell(clk, rst, s, spelt), seal(clk, rst, spelt, sealed), stuff(clk, rst, sealed, m)


@hblock
def listener(clk, rst, s, m, DEPTH, WAITING):
    """From the line's bytes to whole frames."""
    parts = part_stream()
    return unstuff(clk, rst, s, parts), frame_store(clk, rst, parts, m, DEPTH=DEPTH, WAITING=WAITING)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_out(sim):
    arguments = dict(clk=bit(), rst=bit(), s=event_stream(), m=Stream(data=uint(8)))
    run(speaker, arguments, __name__, sim, testcase=["events_become_frames", "a_wrong_frame_is_seen"], tests=2)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_in(sim):
    arguments = dict(clk=bit(), rst=bit(), s=Stream(data=uint(8)), m=frame_stream(), DEPTH=DEPTH, WAITING=WAITING)
    names = ["whole_frames_pass", "damaged_frames_are_told", "what_does_not_fit_is_damaged", "too_many_are_dropped"]
    run(listener, arguments, __name__, sim, testcase=names, tests=len(names))


def test_a_depth_must_be_a_power_of_two():
    with pytest.raises(ValueError, match="DEPTH is a power of two, not 48"):
        frame_store(bit(), bit(), part_stream(), frame_stream(), DEPTH=48)


def events(rng, count):
    """Events with more than their share of bytes that must be escaped."""
    choice = (END, ESCAPE, END ^ 0x20, ESCAPE ^ 0x20, 0, 255, 1)
    for _ in range(count):
        body = bytes(rng.choice(choice) if rng.random() < 0.5 else rng.randrange(256) for _ in range(BODY_BYTES))
        yield dict(kind=rng.choice(choice), number=rng.randrange(256), body=int.from_bytes(body, "little"))


async def spoken(dut, sent, sink, count):
    """The frames behind so many events."""
    while bytes(item["data"] for item in sink.queue).count(END) < 2 * count:
        await ClockCycles(dut.clk, 10)
    return frames(bytes(item["data"] for item in sink.queue))


def content(event):
    return bytes([event["kind"], event["number"]]) + event["body"].to_bytes(BODY_BYTES, "little")


def out_ports(dut):
    return StreamSource(dut, "s", kind=8, number=8, body=64), StreamSink(dut, "m", data=8)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def events_become_frames(dut):
    rng = random.Random(4)
    source, sink = out_ports(dut)
    await start(dut)
    sent = []
    for idle, wait in TRAFFIC:
        source.pause(rng, idle)
        sink.pause(rng, wait)
        sent += (batch := list(events(rng, 30)))
        await source.send(*batch)
    assert await spoken(dut, sent, sink, len(sent)) == [content(event) for event in sent]


@cocotb.test(timeout_time=1, timeout_unit="ms", expect_error=AssertionError)
async def a_wrong_frame_is_seen(dut):
    source, sink = out_ports(dut)
    await start(dut)
    sent = list(events(random.Random(5), 2))
    source.send_nowait(*sent)
    await spoken(dut, sent, sink, 2)
    sink.queue[6]["data"] ^= 1
    await spoken(dut, sent, sink, 2)


class Listening:
    """The block, what was sent to it, and what is to come out."""

    def __init__(self, dut, seed):
        self.dut, self.rng, self.wanted = dut, random.Random(seed), []
        self.source, self.sink = StreamSource(dut, "s", data=8), StreamSink(dut, "m", data=8, last=1, bad=1)

    def content(self, size):
        return bytes(self.rng.choice((END, ESCAPE, self.rng.randrange(256))) for _ in range(size))

    async def send(self, line, spaced=0):
        """The bytes of the line, with so many cycles between two, as a line brings them."""
        for byte in line:
            await self.source.send(dict(data=byte))
            if spaced:
                await ClockCycles(self.dut.clk, spaced)

    def want(self, whole):
        self.wanted += [(byte, int(k == len(whole) - 1), 0) for k, byte in enumerate(whole)]

    async def check(self):
        """All that is wanted has come, and nothing else."""
        await self.sink.wait(len(self.wanted))
        await ClockCycles(self.dut.clk, 50)
        assert [(item["data"], item["last"], item["bad"]) for item in self.sink.queue] == self.wanted


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def whole_frames_pass(dut):
    """Of every length that fits, one behind the other, with an END between them, two or more."""
    bench = Listening(dut, 6)
    await start(dut)
    lengths = [2, 3, 10, DEPTH - 4, DEPTH - 5] + [bench.rng.randrange(2, 20) for _ in range(80)]
    for size in lengths:
        whole = bench.content(size)
        line = frame(whole)[bench.rng.randrange(2) :] + bytes([END]) * bench.rng.randrange(2)
        if not bench.wanted:
            line = frame(whole)
        await bench.send(line, spaced=3)
        bench.want(whole)
    await bench.check()
    assert len(bench.wanted) == sum(lengths)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def damaged_frames_are_told(dut):
    """A bit or a byte less, more or other, a frame that breaks off: no byte of it comes out, the next one is whole."""
    bench, damaged = Listening(dut, 7), 0
    await start(dut)
    for _ in range(60):
        line = bytearray(frame(bench.content(bench.rng.randrange(2, 12))))
        place = bench.rng.randrange(1, len(line) - 1)
        how = bench.rng.randrange(4)
        if how == 0:
            line[place] ^= 1 << bench.rng.randrange(8)
        elif how == 1:
            del line[place]
        elif how == 2:
            line.insert(place, bench.rng.randrange(256))
        else:
            line = line[:place] + bytes([END])
        # how many frames that has become; an escape of nothing is none
        parts = [part for part in bytes(line).split(bytes([END])) if part.strip(bytes([ESCAPE]))]
        assert not any(_whole(part) for part in parts)
        await bench.send(line, spaced=3)
        bench.wanted += [BAD] * len(parts)
        damaged += len(parts)
        whole = bench.content(bench.rng.randrange(2, 12))
        await bench.send(frame(whole), spaced=3)
        bench.want(whole)
    await bench.check()
    assert damaged >= 55


def _whole(part):
    try:
        return bool(frames(part))
    except (AssertionError, IndexError):
        return False


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def what_does_not_fit_is_damaged(dut):
    """A frame longer than the memory, and one that comes while others wait; nothing of them comes out."""
    bench = Listening(dut, 8)
    await start(dut)
    await bench.send(frame(bytes(DEPTH + 30)), spaced=2)
    bench.wanted.append(BAD)
    bench.sink.pause(bench.rng, 1)
    await ClockCycles(dut.clk, 10)
    waiting = [bench.content(25) for _ in range(3)]
    for whole in waiting:
        await bench.send(frame(whole), spaced=2)
    bench.want(waiting[0])
    bench.want(waiting[1])
    bench.wanted.append(BAD)  # 25 + 4 bytes do not fit beside 50
    await ClockCycles(dut.clk, 10)
    bench.sink.pause(None, 0)
    await ClockCycles(dut.clk, 200)
    whole = bench.content(30)
    await bench.send(frame(whole), spaced=2)
    bench.want(whole)
    await bench.check()


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def too_many_are_dropped(dut):
    """More short frames than can wait: some are dropped whole, those that pass are right and in order."""
    bench = Listening(dut, 9)
    await start(dut)
    bench.sink.pause(bench.rng, 1)
    await ClockCycles(dut.clk, 10)
    sent = [bytes([k, 0x11]) for k in range(WAITING + 4)]
    for whole in sent:
        await bench.send(frame(whole), spaced=2)
    bench.sink.pause(None, 0)
    await ClockCycles(dut.clk, 200)
    passed = [item["data"] for item in bench.sink.queue][::2]
    assert WAITING <= len(passed) < len(sent)
    assert passed == list(range(len(passed)))
    bench.sink.queue.clear()
    await bench.send(frame(b"again"), spaced=2)
    bench.want(b"again")
    await bench.check()
