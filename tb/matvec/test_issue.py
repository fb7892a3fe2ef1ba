"""issue against a list of what every beat must be, while everything that may hold it does so at random."""

import random

import cocotb
import pytest
from cocotb.triggers import RisingEdge

from llama2_myhdl.rtl.matvec.issue import LATENCY, issue, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSource
from llama2_myhdl.spec.causes import (
    ACTIVATION,
    ATTENTION,
    CAUSES,
    DOWNSTREAM,
    HEADER,
    IDLE,
    TAPE,
    WEIGHTS,
)
from llama2_myhdl.spec.kinds import GAIN, KIND_BITS, OUT, ROW_KINDS
from llama2_myhdl.spec.presets import PRESETS

CFG = PRESETS["nano"].build
COMMANDS = 80
HOLDS = ("tape_valid", "gain_ready", "there", "room")
TOLD = ("first", "lane", "kind", "last", "free")  # of a weight beat
FIRST = 2  # cycles from a command's transfer to the cycle in which its first beat may pass


def traffic(seed):
    """Random commands, and one dict a beat: what passes, and what is said of it."""
    rng, commands, beats = random.Random(seed), [], []
    for number in range(COMMANDS):
        kind = rng.choice((*ROW_KINDS, GAIN))
        rows = 0 if kind == GAIN else rng.randint(1, 13)
        width = rng.randint(2, 9) if kind == GAIN else rng.randint(1, CFG.max_row_beats)
        release, head = int(kind != GAIN and rng.random() < 0.4), rng.randrange(2)
        commands.append(dict(kind=kind, rows=rows, beats=width, release=release, head=head))
        common = dict(number=number, head=head, kind=kind)
        if kind == GAIN:
            beats += [dict(type="gain", **common)] * width
        for row in range(rows):
            last, lane = int(row == rows - 1), row % CFG.lanes
            if lane == 0:
                beats.append(dict(type="exponents", **common))
            for word in range(width):
                end = int(word == width - 1)
                told = dict(first=int(word == 0), lane=lane, last=last, free=last & release)
                drop = end & last & release
                beats.append(dict(type="weight", row_end=end, drop=drop, again=end & (1 - drop), **told, **common))
    return commands, beats


@pytest.mark.parametrize("sim", SIMULATORS)
def test_issue(sim):
    run(issue, ports(CFG), __name__, sim, tests=3)


class Follower:
    """Plays the beats with random `hold`; checks every cycle. causes: how often each was seen."""

    def __init__(self, dut, beats, hold, rng):
        self.dut, self.todo, self.hold, self.rng = dut, list(beats), hold, rng
        self.taken = []  # cycles of the commands' transfers
        self.free = 0  # the first cycle that the command before leaves free
        self.causes = dict.fromkeys(range(len(CAUSES)), 0)
        self.cycles = []  # in which a beat passed

    async def play(self):
        """Returns the cycles from the first beat to the last."""
        told, cause, cycle = None, None, 0
        while self.todo or told:
            for name in HOLDS:
                getattr(self.dut, name).value = int(self.rng.random() >= self.hold)
            await RisingEdge(self.dut.clk)  # the values just before it are those of a whole cycle
            self.check_told(told, cause)
            cycle += 1
            told, cause = self.step(cycle)
            if self.dut.s_valid.value == 1 and self.dut.s_ready.value == 1:
                self.taken.append(cycle)
        return self.cycles[-1] - self.cycles[0] + 1

    def step(self, cycle):
        """What passes in this cycle, and the cause that it is to have."""
        beat, dut = self.todo[0] if self.todo else None, self.dut
        held = {name: int(getattr(dut, name).value) == 0 for name in HOLDS}
        passes = dut.tape_valid.value == 1 and dut.tape_ready.value == 1
        if not beat or len(self.taken) <= beat["number"] or cycle < max(self.taken[beat["number"]] + FIRST, self.free):
            assert not passes and dut.gain_valid.value == dut.step.value == dut.row.value == 0
            return None, IDLE
        assert int(dut.from_head.value) == beat["head"]
        assert int(dut.gain_valid.value) == (beat["type"] == "gain" and not held["tape_valid"])
        if beat["type"] == "weight":
            assert (int(dut.again.value), int(dut.drop.value)) == (beat["again"], beat["drop"])
        cause = expected_cause(beat, held)
        assert passes == (cause in (WEIGHTS, HEADER))
        assert int(dut.step.value) == (cause == WEIGHTS)
        assert int(dut.row.value) == (cause == WEIGHTS and beat["row_end"])
        if passes:
            self.todo.pop(0)
            self.cycles.append(cycle)
            self.free = cycle + 1
        return beat if passes else None, cause

    def check_told(self, beat, cause):
        """LATENCY cycles later; beat None: nothing passed."""
        dut, kind = self.dut, beat["type"] if beat else None
        assert int(dut.m_weight.value) == int(kind == "weight")
        assert int(dut.m_exponents.value) == int(kind == "exponents")
        assert int(dut.m_row_end.value) == (beat["row_end"] if kind == "weight" else 0)
        if kind == "weight":
            assert {name: int(getattr(dut, f"m_{name}").value) for name in TOLD} == {n: beat[n] for n in TOLD}
        if cause is not None:
            assert int(dut.cause.value) == cause
            self.causes[cause] += 1


def expected_cause(beat, held):
    if beat["type"] == "weight" and held["there"]:
        return ATTENTION if beat["kind"] == OUT else ACTIVATION
    if (beat["type"] == "weight" and held["room"]) or (beat["type"] == "gain" and held["gain_ready"]):
        return DOWNSTREAM
    if held["tape_valid"]:
        return TAPE
    return WEIGHTS if beat["type"] == "weight" else HEADER


async def begin(dut, hold, idle):
    commands, beats = traffic(22)
    for name in HOLDS:
        getattr(dut, name).value = 0
    source = StreamSource(
        dut, "s", kind=KIND_BITS, rows=len(dut.s_rows), beats=len(dut.s_beats), release=1, head=1
    )
    source.pause(random.Random(20), idle)
    await start(dut)
    source.send_nowait(*commands)
    return source, Follower(dut, beats, hold, random.Random(21)), beats


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def held_at_random(dut):
    assert LATENCY == 1  # what `Follower` assumes
    source, follower, beats = await begin(dut, 0.3, 0.5)
    assert await follower.play() > len(beats) > 1000
    assert source.sent == COMMANDS
    assert follower.causes[WEIGHTS] == sum(beat["type"] == "weight" for beat in beats)
    assert follower.causes[WEIGHTS] + follower.causes[HEADER] == len(beats)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def commands_come_late(dut):
    """So that each cause is seen."""
    source, follower, beats = await begin(dut, 0.3, 0.98)
    await follower.play()
    assert source.sent == COMMANDS and min(follower.causes.values()) > 10


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def no_bubbles(dut):
    source, follower, beats = await begin(dut, 0, 0)
    assert await follower.play() == len(beats)
    assert source.sent == COMMANDS
