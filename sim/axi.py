"""The rules of AXI4's read channels, checked in every cycle beside whatever drives them.

    monitor = ReadMonitor(dut, "m_axi", AXI, regions=2)      # spec.axi.ReadMaster
    ..
    monitor.finish()                                         # nothing is under way any more
    assert monitor.bursts[0] == Burst(id=0, address=0x1000, beats=64)
"""

from collections import deque
from dataclasses import dataclass

import cocotb
from cocotb.triggers import RisingEdge

from llama2_myhdl.sim.streams import ProtocolError, reader
from llama2_myhdl.spec.axi import INCR, PAGE, ReadMaster

AR_FIELDS = ("arid", "araddr", "arlen", "arsize", "arburst", "arcache", "arprot")
R_FIELDS = ("rid", "rdata", "rresp", "rlast")


@dataclass(frozen=True)
class Burst:
    """A read burst: id, byte address of its first beat, beats."""

    id: int
    address: int
    beats: int


class Channel:
    """Pins of one channel: its handshake and its fields, as numbers; what is unknown and matters is an error."""

    def __init__(self, dut, prefix: str, name: str, fields: tuple[str, ...]):
        self.name = f"{prefix}_{name}"
        pins = {pin: getattr(dut, f"{prefix}_{pin}") for pin in (f"{name}valid", f"{name}ready", *fields)}
        self._valid, self._ready = reader(pins[f"{name}valid"]), reader(pins[f"{name}ready"])
        self._fields = {field: reader(pins[field]) for field in fields}
        self._held = None  # what was offered and not taken

    def reset(self, cycles: int) -> None:
        """In reset valid is low, from its third cycle on: until then a registered reset may be on its way."""
        if cycles > 2 and self._valid() != "0":
            raise ProtocolError(f"{self.name}valid is not low in reset")
        self._held = None

    def step(self) -> tuple[dict[str, int] | None, bool]:
        """Fields that are offered, or None, and whether they are taken, just before a rising edge outside reset."""
        valid, ready = self._valid(), self._ready()
        for level, what in ((valid, "valid"), (ready, "ready")):
            if level not in ("0", "1"):
                raise ProtocolError(f"{self.name}{what} is {level}")
        bits = {field: read() for field, read in self._fields.items()} if valid == "1" else None
        if self._held is not None and bits != self._held:
            raise ProtocolError(f"{self.name}: {self._held} was offered and not taken, then became {bits}")
        self._held = None if ready == "1" else bits
        if bits is None:
            return None, False
        unknown = [field for field, text in bits.items() if not set(text) <= {"0", "1"}]
        if unknown:
            raise ProtocolError(f"{self.name}: {unknown[0]} is {bits[unknown[0]]} while valid is high")
        return {field: int(text, 2) for field, text in bits.items()}, ready == "1"


class ReadRules:
    """What AXI4 and the master's sizes ask of reads. Each raises ProtocolError at the first thing that is not so.

    Addresses: whole bus beats, aligned; INCR; no longer than the master's bursts; within a page; an ID of a region; no
    more bursts under way than the limit. Data: only what was asked for, each ID's bursts in their order, with RLAST on
    the last beat and on no other.
    Attributes: bursts, all that were asked for; beats, taken; most: bursts under way at once.
    """

    def __init__(self, axi: ReadMaster, regions: int):
        self.axi, self.regions = axi, regions
        self.bursts: list[Burst] = []
        self.beats = self.most = 0
        self._open = [deque() for _ in range(regions)]  # beats to come of each ID's bursts

    @property
    def under_way(self) -> int:
        """Bursts that have not had their last beat."""
        return sum(map(len, self._open))

    def reset(self) -> None:
        """Nothing is under way any more."""
        for bursts in self._open:
            bursts.clear()

    def finish(self) -> None:
        """All that was asked for has come."""
        if self.under_way:
            raise ProtocolError(f"R: {self.under_way} bursts have not had their last beat")

    def address(self, fields: dict[str, int], taken: bool) -> None:
        """What is offered on AR."""
        burst = Burst(fields["arid"], fields["araddr"], fields["arlen"] + 1)
        wrong = next((words for words, broken in self._broken(burst, fields) if broken), None)
        if wrong:
            raise ProtocolError(f"AR: {burst}: {wrong}")
        if taken:
            self.bursts.append(burst)
            self._open[burst.id].append(burst.beats)
            self.most = max(self.most, self.under_way)
            if self.under_way > self.axi.outstanding:
                raise ProtocolError(f"AR: {self.under_way} bursts under way, at most {self.axi.outstanding}")

    def _broken(self, burst: Burst, fields: dict[str, int]) -> list[tuple[str, bool]]:
        size = self.axi.word_bytes
        last = burst.address + burst.beats * size - 1
        return [
            (f"ARSIZE is {fields['arsize']}, a beat has {size} bytes", 1 << fields["arsize"] != size),
            (f"ARBURST is {fields['arburst']}, INCR is {INCR}", fields["arburst"] != INCR),
            (f"the address is no multiple of {size}", burst.address % size != 0),
            (f"it crosses {PAGE} bytes", burst.address // PAGE != last // PAGE),
            (f"it is longer than {self.axi.burst} beats", burst.beats > self.axi.burst),
            (f"there are {self.regions} regions", burst.id >= self.regions),
        ]

    def data(self, fields: dict[str, int], taken: bool) -> None:
        """What is offered on R."""
        number = fields["rid"]
        if number >= self.regions or not self._open[number]:
            raise ProtocolError(f"R: a beat with ID {number} that was not asked for")
        rest = self._open[number][0] - 1
        if fields["rlast"] != (rest == 0):
            raise ProtocolError(f"R: RLAST is {fields['rlast']} with {rest} beats of the burst to come")
        if taken:
            self.beats += 1
            if rest:
                self._open[number][0] = rest
            else:
                self._open[number].popleft()


class ReadMonitor(ReadRules):
    """Watches the pins: the rules above in every cycle, and that what waits stands still, that nothing which matters is
    unknown, and that valid is low in reset. What breaks a rule fails the test."""

    def __init__(self, dut, prefix: str, axi: ReadMaster, regions: int):
        super().__init__(axi, regions)
        self._rst = reader(dut.rst)
        self._ar, self._r = Channel(dut, prefix, "ar", AR_FIELDS), Channel(dut, prefix, "r", R_FIELDS)
        cocotb.start_soon(self._run(dut.clk))

    async def _run(self, clk):
        edge, in_reset = RisingEdge(clk), 0
        while True:
            await edge
            if self._rst() != "0":
                in_reset += 1
                self._ar.reset(in_reset)
                self._r.reset(in_reset)
                self.reset()
                continue
            in_reset = 0
            for channel, rule in ((self._r, self.data), (self._ar, self.address)):
                fields, taken = channel.step()
                if fields is not None:
                    rule(fields, taken)
