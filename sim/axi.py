"""The rules of AXI4's channels, checked in every cycle beside whatever drives them.

    monitor = ReadMonitor(dut, "m_axi", AXI, regions=2)      # spec.axi.ReadMaster
    ..
    monitor.finish()                                         # nothing is under way any more
    assert monitor.bursts[0] == Burst(id=0, address=0x1000, beats=64)

and WriteMonitor(dut, "m_axi", AXI) in the same way.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from llama2_myhdl.sim.clock import at_every_edge
from llama2_myhdl.sim.streams import ProtocolError, reader
from llama2_myhdl.spec.axi import INCR, PAGE, ReadMaster

AR_FIELDS = ("arid", "araddr", "arlen", "arsize", "arburst", "arcache", "arprot")
R_FIELDS = ("rid", "rdata", "rresp", "rlast")
AW_FIELDS = tuple(name.replace("ar", "aw", 1) for name in AR_FIELDS)
W_FIELDS = ("wdata", "wstrb", "wlast")
B_FIELDS = ("bid", "bresp")


@dataclass(frozen=True)
class Burst:
    """A burst: id, byte address of its first beat, beats."""

    id: int
    address: int
    beats: int


def address_rules(axi: ReadMaster, burst: Burst, fields: dict[str, int], channel: str) -> list[tuple[str, bool]]:
    """What may be wrong with an address that is offered on "AR" or "AW", and whether it is."""
    size, name = axi.word_bytes, channel.lower()
    last = burst.address + burst.beats * size - 1
    return [
        (f"{channel}SIZE is {fields[name + 'size']}, a beat has {size} bytes", 1 << fields[name + "size"] != size),
        (f"{channel}BURST is {fields[name + 'burst']}, INCR is {INCR}", fields[name + "burst"] != INCR),
        (f"the address is no multiple of {size}", burst.address % size != 0),
        (f"it crosses {PAGE} bytes", burst.address // PAGE != last // PAGE),
        (f"it is longer than {axi.burst} beats", burst.beats > axi.burst),
    ]


def check_address(rules: list[tuple[str, bool]], burst: Burst, channel: str) -> None:
    """Raise ProtocolError with the first of the rules that is broken."""
    wrong = next((words for words, broken in rules if broken), None)
    if wrong:
        raise ProtocolError(f"{channel}: {burst}: {wrong}")


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
        rules = address_rules(self.axi, burst, fields, "AR")
        rules.append((f"there are {self.regions} regions", burst.id >= self.regions))
        check_address(rules, burst, "AR")
        if taken:
            self.bursts.append(burst)
            self._open[burst.id].append(burst.beats)
            self.most = max(self.most, self.under_way)
            if self.under_way > self.axi.outstanding:
                raise ProtocolError(f"AR: {self.under_way} bursts under way, at most {self.axi.outstanding}")

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


class WriteRules:
    """What AXI4 and the master's sizes ask of writes; as ReadRules, with ID 0 for every burst.

    Data: as many beats as the burst has, in the bursts' order, none before its address, WLAST on the last one and on no
    other. Answers: one for each burst whose last beat was taken.
    Attributes: as of ReadRules.
    """

    def __init__(self, axi: ReadMaster):
        self.axi = axi
        self.bursts: list[Burst] = []
        self.beats = self.most = 0
        self._open = deque()  # beats to come of each burst
        self._written = 0  # bursts without an answer

    @property
    def under_way(self) -> int:
        """Bursts that have had no answer."""
        return len(self._open) + self._written

    def reset(self) -> None:
        """Nothing is under way any more."""
        self._open.clear()
        self._written = 0

    def finish(self) -> None:
        """All that was begun has been answered."""
        if self.under_way:
            raise ProtocolError(f"B: {self.under_way} bursts have had no answer")

    def address(self, fields: dict[str, int], taken: bool) -> None:
        """What is offered on AW."""
        burst = Burst(fields["awid"], fields["awaddr"], fields["awlen"] + 1)
        rules = address_rules(self.axi, burst, fields, "AW")
        check_address([*rules, ("writes have ID 0", burst.id != 0)], burst, "AW")
        if taken:
            self.bursts.append(burst)
            self._open.append(burst.beats)
            self.most = max(self.most, self.under_way)
            if self.under_way > self.axi.outstanding:
                raise ProtocolError(f"AW: {self.under_way} bursts under way, at most {self.axi.outstanding}")

    def data(self, fields: dict[str, int], taken: bool) -> None:
        """What is offered on W."""
        if not taken:
            return  # it may wait for its address
        if not self._open:
            raise ProtocolError("W: a beat that belongs to no burst")
        rest = self._open[0] - 1
        if fields["wlast"] != (rest == 0):
            raise ProtocolError(f"W: WLAST is {fields['wlast']} with {rest} beats of the burst to come")
        self.beats += 1
        if rest:
            self._open[0] = rest
        else:
            self._open.popleft()
            self._written += 1

    def answer(self, fields: dict[str, int], taken: bool) -> None:
        """What is offered on B."""
        if fields["bid"] != 0 or not self._written:
            raise ProtocolError(f"B: an answer with ID {fields['bid']} that was not asked for")
        self._written -= taken


class Monitor:
    """Watches the pins of some channels: a rule for each of them in every cycle, and that what waits stands still, that
    nothing which matters is unknown, and that valid is low in reset. What breaks a rule fails the test."""

    def _watch(self, dut, *channels: tuple[Channel, Callable]) -> None:
        self._rst, self._channels = reader(dut.rst), channels
        self._in_reset = 0  # cycles so far
        at_every_edge(dut.clk, self._step)

    def _step(self):
        if self._rst() != "0":
            self._in_reset += 1
            for channel, _ in self._channels:
                channel.reset(self._in_reset)
            self.reset()
            return
        self._in_reset = 0
        for channel, rule in self._channels:
            fields, taken = channel.step()
            if fields is not None:
                rule(fields, taken)


class ReadMonitor(Monitor, ReadRules):
    """The rules of reads at the pins."""

    def __init__(self, dut, prefix: str, axi: ReadMaster, regions: int):
        super().__init__(axi, regions)
        data, address = Channel(dut, prefix, "r", R_FIELDS), Channel(dut, prefix, "ar", AR_FIELDS)
        self._watch(dut, (data, self.data), (address, self.address))


class WriteMonitor(Monitor, WriteRules):
    """The rules of writes at the pins."""

    def __init__(self, dut, prefix: str, axi: ReadMaster):
        super().__init__(axi)
        answers, address = Channel(dut, prefix, "b", B_FIELDS), Channel(dut, prefix, "aw", AW_FIELDS)
        data = Channel(dut, prefix, "w", W_FIELDS)
        self._watch(dut, (answers, self.answer), (address, self.address), (data, self.data))
