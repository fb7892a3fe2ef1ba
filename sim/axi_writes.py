"""A memory behind AXI4's write channels, as `sim/axi_memory.py` is one behind those of reads.

    memory = ReadMemory(dut, "m_axi", AXI, regions=2, rng=random.Random(1))
    writes = WriteMemory(dut, "m_axi", AXI, memory.contents, random.Random(2))
    writes.latency, writes.stalls = (60, 60), dict(aw=0.1, w=0.2, b=0.1)
"""

import random
from collections import deque
from dataclasses import dataclass, field

from llama2_myhdl.sim.axi import WriteMonitor
from llama2_myhdl.sim.axi_memory import ChannelMemory, ReadMemory
from llama2_myhdl.sim.contents import Contents
from llama2_myhdl.sim.streams import reader
from llama2_myhdl.spec.axi import DECERR, OKAY, ReadMaster


@dataclass
class _Burst:
    """A burst that was taken: byte address, beats in all; words and strobes so far; cycle of its answer, once whole."""

    address: int
    beats: int
    words: list[tuple[int, int]] = field(default_factory=list)
    due: int | None = None


class WriteMemory(ChannelMemory):
    """Takes writes. All may be changed while it runs:

    latency: (low, high) cycles from a burst's last beat to its answer; stalls: probability of a cycle in which a
    channel stands still, by its name; faults: response by the number of the burst, counted from 0. What a burst writes
    is there when its answer is offered, not before; of one that is answered with an error nothing is. A burst that goes
    where nothing lies is DECERR.

    answered: answers that were taken; offered: that were offered; written: beats that were taken; monitor: what watches
    the pins.
    """

    def __init__(self, dut, prefix: str, axi: ReadMaster, contents: Contents, rng: random.Random):
        self.axi, self.contents, self.rng = axi, contents, rng
        self.latency, self.stalls = (1, 1), dict(aw=0.0, w=0.0, b=0.0)
        self.faults: dict[int, int] = {}
        self.answered = self.offered = self.written = 0
        self._addressed, self._written = deque(), deque()
        self.monitor = WriteMonitor(dut, prefix, axi)
        driven = ("awready", "wready", "bvalid", "bid", "bresp")
        self._pins = {name: getattr(dut, f"{prefix}_{name}") for name in driven}
        seen = ("awvalid", "awaddr", "awlen", "wvalid", "wdata", "wstrb", "bready")
        self._read = {name: reader(getattr(dut, f"{prefix}_{name}")) for name in seen}
        self._ready, self._valid = dict(aw=False, w=False), False
        self._start(dut)

    def _forget(self):
        """Reset: what had no answer is gone."""
        self._addressed.clear()
        self._written.clear()
        self._ready, self._valid = dict(aw=False, w=False), False
        for name in ("awready", "wready", "bvalid"):
            self._pins[name].value = 0

    def _moves(self, channel: str) -> bool:
        return self._ready[channel] and self._read[f"{channel}valid"]() == "1"

    def _take(self):
        """What was transferred at this edge."""
        if self._moves("aw"):
            self._addressed.append(_Burst(int(self._read["awaddr"](), 2), int(self._read["awlen"](), 2) + 1))
        if self._moves("w"):
            burst = self._addressed[0]
            self.written += 1
            burst.words.append((int(self._read["wdata"](), 2), int(self._read["wstrb"](), 2)))
            if len(burst.words) == burst.beats:
                burst.due = self._cycle + self.rng.randint(*self.latency) - 1
                self._written.append(self._addressed.popleft())
        if self._valid and self._read["bready"]() == "1":
            self._valid = False
            self.answered += 1

    def _offer(self):
        """What stands on the pins until the next edge."""
        for channel, ready in self._ready.items():
            now = not self._pauses(channel)
            if now != ready:
                self._pins[f"{channel}ready"].value = int(now)
                self._ready[channel] = now
        if self._valid:
            return
        self._valid = bool(self._written) and self._written[0].due <= self._cycle and not self._pauses("b")
        self._pins["bvalid"].value = int(self._valid)
        if self._valid:
            self._pins["bresp"].value = self._respond(self._written.popleft())
            self._pins["bid"].value = 0
            self.offered += 1
        else:
            self._pins["bresp"].value = self.rng.getrandbits(2)  # means nothing

    def _respond(self, burst: _Burst) -> int:
        response = self.faults.get(self.offered, OKAY)
        if response == OKAY:
            size = self.axi.word_bytes
            for k, (word, strobes) in enumerate(burst.words):
                if not self.contents.write(burst.address + k * size, word, strobes, size):
                    response = DECERR
        return response


class ReadWriteMemory(ReadMemory):
    """Both; writes: the part that takes writes. `latency` and `stalls` are those of both, `write_faults` of writes."""

    def __init__(self, dut, prefix: str, axi: ReadMaster, regions: int, rng: random.Random):
        super().__init__(dut, prefix, axi, regions, rng)
        self.writes = WriteMemory(dut, prefix, axi, self.contents, rng)

    def behave(self, **changes) -> None:
        if "write_faults" in changes:
            self.writes.faults = changes.pop("write_faults")
        if "latency" in changes:
            self.writes.latency = changes["latency"]
        if "stalls" in changes:
            self.writes.stalls = {name: changes["stalls"].get(name, 0.0) for name in self.writes.stalls}
        super().behave(**changes)

    def seen(self, name: str) -> int:
        return getattr(self.writes if name in ("answered", "offered", "written") else self, name)
