"""A memory behind AXI4's read channels: slow, out of order, refreshing, faulty as one likes.

    memory = ReadMemory(dut, "m_axi", AXI, regions=2, rng=random.Random(1))
    memory.put(0x1000, image)
    memory.latency, memory.stalls = (60, 60), dict(ar=0.1, r=0.2)

Its monitor (`sim/axi.py`) is live wherever it is.
"""

import random
from collections import deque
from dataclasses import dataclass

from llama2_myhdl.sim.axi import ReadMonitor
from llama2_myhdl.sim.clock import at_every_edge
from llama2_myhdl.sim.contents import Contents
from llama2_myhdl.sim.streams import reader
from llama2_myhdl.spec.axi import DECERR, OKAY, ReadMaster


@dataclass
class _Pending:
    """A burst that was taken: byte address of the next beat, beats to come, cycle of the first one at the earliest."""

    address: int
    beats: int
    due: int


class ChannelMemory:
    """What memories behind channels of either direction do in every cycle: `_take` what was transferred, then `_offer`;
    in reset `_forget`. A channel stands still with the probability that `stalls` has for its name."""

    def _start(self, dut):
        """From the next edge on, with all pins at 0."""
        self._cycle, self._rst = 0, reader(dut.rst)
        for pin in self._pins.values():
            pin.value = 0
        at_every_edge(dut.clk, self._step)

    def _step(self):
        self._cycle += 1
        if self._rst() == "0":
            self._take()
            self._offer()
        else:
            self._forget()

    def _pauses(self, channel: str) -> bool:
        return self.stalls[channel] > 0 and self.rng.random() < self.stalls[channel]


class ReadMemory(ChannelMemory):
    """Answers reads. All may be changed while it runs:

    latency: (low, high) cycles from a burst's address to its first beat; stalls: probability of a cycle in which a
    channel stands still, by its name, "ar" and "r"; refresh: (period, length): in so many cycles at each period's end
    no beat goes out, or None; interleaved: beats of several IDs mixed, else burst by burst; faults: response by the
    number of the beat, counted from 0. Beats at addresses that hold nothing are DECERR.

    sent, made: beats that were taken, that were offered; mixed: times that the beats of a burst were left for those of
    another ID; refreshed: cycles of refresh so far; bursts: asked for; most: of them under way at once; monitor: what
    watches the pins; contents: what lies where.
    """

    def __init__(self, dut, prefix: str, axi: ReadMaster, regions: int, rng: random.Random):
        self.axi, self.rng = axi, rng
        self.latency, self.stalls, self.refresh, self.interleaved = (1, 1), dict(ar=0.0, r=0.0), None, False
        self.faults: dict[int, int] = {}
        self.sent = self.made = self.mixed = self.refreshed = 0
        self.contents = Contents()
        self.put, self.fill = self.contents.put, self.contents.fill
        self._waiting = [deque() for _ in range(regions)]
        self._turn = None  # the ID whose burst is being answered
        self.monitor = ReadMonitor(dut, prefix, axi, regions)
        self._pins = {name: getattr(dut, f"{prefix}_{name}") for name in ("arready", "rvalid", "rid", "rdata")}
        self._pins |= {name: getattr(dut, f"{prefix}_{name}") for name in ("rresp", "rlast")}
        seen = ("arvalid", "arid", "araddr", "arlen", "rready")
        self._read = {name: reader(getattr(dut, f"{prefix}_{name}")) for name in seen}
        self._ready = self._valid = False
        self._start(dut)

    @property
    def bursts(self) -> int:
        return len(self.monitor.bursts)

    @property
    def most(self) -> int:
        return self.monitor.most

    def behave(self, **changes) -> None:
        """Change some of latency, stalls, refresh, interleaved, faults."""
        vars(self).update(changes)

    def seen(self, name: str) -> int:
        """A count, by its name."""
        return getattr(self, name)

    def _forget(self):
        """Reset: whatever was asked for is gone."""
        for waiting in self._waiting:
            waiting.clear()
        self._turn, self._ready, self._valid = None, False, False
        self._pins["arready"].value = self._pins["rvalid"].value = 0

    def _take(self):
        """What was transferred at this edge."""
        if self._ready and self._read["arvalid"]() == "1":
            number, address, beats = (int(self._read[name](), 2) for name in ("arid", "araddr", "arlen"))
            due = self._cycle + self.rng.randint(*self.latency) - 1
            self._waiting[number].append(_Pending(address, beats + 1, due))
        if self._valid and self._read["rready"]() == "1":
            self._valid = False
            self.sent += 1

    def _refreshes(self) -> bool:
        if self.refresh is None:
            return False
        period, length = self.refresh
        now = self._cycle % period >= period - length
        self.refreshed += now
        return now

    def _offer(self):
        """What stands on the pins until the next edge."""
        ready = not self._pauses("ar")
        if ready != self._ready:
            self._pins["arready"].value = int(ready)
            self._ready = ready
        held, refreshes = self._valid, self._refreshes()
        if held:
            return
        number = None if refreshes or self._pauses("r") else self._choose()
        self._valid = number is not None
        self._pins["rvalid"].value = int(self._valid)
        if self._valid:
            self._beat(number)
        else:
            self._pins["rdata"].value = self.rng.getrandbits(self.axi.data_bits)  # means nothing

    def _choose(self) -> int | None:
        """The ID whose beat comes next."""
        if self._turn is not None and not self.interleaved:
            return self._turn
        due = [k for k, waiting in enumerate(self._waiting) if waiting and waiting[0].due <= self._cycle]
        return self.rng.choice(due) if due else None

    def _beat(self, number: int):
        pending = self._waiting[number][0]
        word = self.contents.word(pending.address, self.axi.word_bytes)
        response = self.faults.get(self.made, OKAY if word is not None else DECERR)
        if response != OKAY:
            word = self.rng.getrandbits(self.axi.data_bits)
        pending.beats -= 1
        pending.address += self.axi.word_bytes
        last = pending.beats == 0
        self.mixed += self._turn not in (None, number)
        self._turn = None if last else number
        if last:
            self._waiting[number].popleft()
        values = dict(rid=number, rdata=word, rresp=response, rlast=int(last))
        for name, value in values.items():
            self._pins[name].value = value
        self.made += 1
