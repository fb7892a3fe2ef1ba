"""issue against a list of what every beat must be, while everything that may hold it does so at random."""

import random

import cocotb
import pytest
from cocotb.triggers import RisingEdge

from rtl.config import PRESETS, clog2
from rtl.layer.kinds import GAIN, KIND_BITS
from rtl.matvec.issue import LATENCY, Issued, issue
from rtl.matvec.streams import command_stream
from rtl.stream.stream import bit, uint
from tb.clock import start
from tb.runner import SIMULATORS, run
from tb.stream.drivers import StreamSource

CFG = PRESETS["nano"].build
COMMANDS = 60
HOLDS = ("tape_valid", "gain_ready", "available", "room")
TOLD = ("first", "lane", "kind", "last", "slot", "free")  # of a weight beat


def ports():
    commands = command_stream(CFG)
    handshakes = {name: bit() for name in ("tape_valid", "tape_ready", "gain_valid", *HOLDS[1:], "slot", "row", "done")}
    told = Issued(clog2(CFG.lanes), KIND_BITS)
    return dict(clk=bit(), rst=bit(), s=commands, **handshakes, word=uint(len(commands.beats)), m=told, LANES=CFG.lanes)


def traffic(seed):
    """Random commands, and one dict a beat: what passes, and what is said of it."""
    rng, commands, beats, slot = random.Random(seed), [], [], 0
    for _ in range(COMMANDS):
        kind = rng.randrange(GAIN + 1)
        rows = 0 if kind == GAIN else rng.randint(1, 13)
        width = rng.randint(2, 9) if kind == GAIN else rng.randint(1, CFG.max_row_beats)
        release = int(kind != GAIN and rng.random() < 0.4)
        commands.append(dict(kind=kind, rows=rows, beats=width, release=release))
        if kind == GAIN:
            beats += [dict(type="gain")] * width
        for row in range(rows):
            last, lane = int(row == rows - 1), row % CFG.lanes
            if lane == 0:
                beats.append(dict(type="exponents"))
            for word in range(width):
                end = int(word == width - 1)
                told = dict(first=int(word == 0), lane=lane, kind=kind, last=last, slot=slot, free=last & release)
                beats.append(dict(type="weight", word=word, row_end=end, done=end & last & release, **told))
        slot ^= release
    return commands, beats


@pytest.mark.parametrize("sim", SIMULATORS)
def test_issue(sim):
    run(issue, ports(), __name__, sim, tests=2)


async def follow(dut, beats, hold, rng):
    """Play the beats with random `hold`; check every cycle. Returns the cycles from the first beat to the last."""
    edge, todo, told, cycles = RisingEdge(dut.clk), list(beats), None, []
    cycle = 0
    while todo or told:
        for name in HOLDS:
            getattr(dut, name).value = int(rng.random() >= hold)
        await edge  # the values just before it are those of a whole cycle
        check_told(dut, told)
        told, cycle = None, cycle + 1
        passes = dut.tape_valid.value == 1 and dut.tape_ready.value == 1
        if not passes:
            assert dut.row.value == 0 and dut.done.value == 0
            continue
        told = todo.pop(0)
        cycles.append(cycle)
        check_pass(dut, told)
    return cycles[-1] - cycles[0] + 1


def check_pass(dut, beat):
    """In the cycle in which a beat passes."""
    weight = beat["type"] == "weight"
    assert int(dut.gain_valid.value) == int(beat["type"] == "gain")
    assert dict(weight=dut.room, exponents=dut.available, gain=dut.gain_ready)[beat["type"]].value == 1
    assert int(dut.row.value) == (beat["row_end"] if weight else 0)
    assert int(dut.done.value) == (beat["done"] if weight else 0)
    if weight:
        assert (int(dut.word.value), int(dut.slot.value)) == (beat["word"], beat["slot"])


def check_told(dut, beat):
    """LATENCY cycles later; beat None: nothing passed."""
    kind = beat["type"] if beat else None
    assert int(dut.m_weight.value) == int(kind == "weight")
    assert int(dut.m_exponents.value) == int(kind == "exponents")
    assert int(dut.m_row_end.value) == (beat["row_end"] if kind == "weight" else 0)
    if kind == "weight":
        assert {name: int(getattr(dut, f"m_{name}").value) for name in TOLD} == {name: beat[name] for name in TOLD}


async def play(dut, hold, idle):
    rng = random.Random(21)
    commands, beats = traffic(22)
    for name in HOLDS:
        getattr(dut, name).value = 0
    source = StreamSource(dut, "s", kind=KIND_BITS, rows=len(dut.s_rows), beats=len(dut.s_beats), release=1)
    source.pause(rng, idle)
    await start(dut)
    source.send_nowait(*commands)
    cycles = await follow(dut, beats, hold, rng)
    assert source.sent == COMMANDS
    return cycles, len(beats)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def held_at_random(dut):
    assert LATENCY == 1  # what `follow` assumes
    cycles, beats = await play(dut, 0.3, 0.5)
    assert cycles > beats > 1000


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def no_bubbles(dut):
    cycles, beats = await play(dut, 0, 0)
    assert cycles == beats
