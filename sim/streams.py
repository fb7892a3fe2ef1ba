"""cocotb source, sink and monitor for Stream ports; the sink and the monitor check the handshake rules.

    source, sink = StreamSource(dut, "s", data=16), StreamSink(dut, "m", data=-8, last=1)
    source.pause(random.Random(1), 0.3)
    sink.pause(random.Random(2), 0.5)
    await start(dut)                       # sim.clock
    source.send_nowait({"data": 5})
    assert await sink.recv() == {"data": -3, "last": 1}

A port is given by its prefix and its fields: name=bits, with negative bits for a signed field.
"""
from collections import deque

from cocotb.triggers import Event
from cocotb_bus.bus import Bus

from llama2_myhdl.sim.clock import at_every_edge


class ProtocolError(AssertionError):
    """A stream broke the handshake rules; raised at an edge, so it fails the test."""


def reader(pin):
    """A function that gives a pin's value as text, X and Z included.

    `str(pin.value)` makes an object of it first: a tenth of a bench's time, as drivers look at their pins in every
    cycle. The handle is a private name of cocotb.
    """
    return pin._handle.get_signal_val_binstr


class StreamPort:
    """The pins of one stream, `<prefix>_valid`, `<prefix>_ready` and `<prefix>_<field>`, and random pauses."""

    def __init__(self, dut, prefix, **fields):
        self.clk, self.rst, self.prefix, self.fields = dut.clk, dut.rst, prefix, fields
        self.bus = Bus(dut, prefix, ["valid", "ready", *fields])
        self.pins = {name: getattr(self.bus, name) for name in fields}
        for name, bits in fields.items():
            if len(self.pins[name]) != abs(bits):
                raise ValueError(f"{prefix}_{name} has {len(self.pins[name])} bits, not {abs(bits)}")
        self._rst, self._valid, self._ready = map(reader, (self.rst, self.bus.valid, self.bus.ready))
        self._payload = [(name, reader(pin)) for name, pin in self.pins.items()]
        self._rng, self._probability = None, 0.0

    def pause(self, rng, probability):
        """Make each cycle a pause with this probability (from a random.Random); 0 ends it."""
        self._rng, self._probability = rng, probability

    def paused(self):
        return self._probability > 0 and self._rng.random() < self._probability

    def in_reset(self):
        return self._rst() != "0"

    def high(self, name, read):
        """Level of `valid` or `ready`; neither may be X after reset."""
        level = read()
        if level == "1":
            return True
        if level != "0":
            raise ProtocolError(f"{self.prefix}_{name} is {level}")
        return False


class StreamSource(StreamPort):
    """Drives a sink port (`s`) of the block from a queue of payload dicts. `sent` counts transfers."""

    def __init__(self, dut, prefix, **fields):
        super().__init__(dut, prefix, **fields)
        self.queue, self.sent = deque(), 0
        self._drained = Event()
        self._driven = 0  # what valid was set to last
        self._busy = False  # the front of the queue is offered
        self._masks = {name: (1 << abs(bits)) - 1 for name, bits in fields.items()}
        self._shown = {}  # what the fields were set to last: setting one takes longer than all else of an edge
        self.bus.valid.value = 0
        self._drive(dict.fromkeys(fields, 0))
        at_every_edge(self.clk, self._step)

    def send_nowait(self, *payloads):
        """Queue payloads: dicts of a value for every field."""
        for payload in payloads:
            if payload.keys() != self.fields.keys():
                raise ValueError(f"{self.prefix}: fields {sorted(payload)}, expected {sorted(self.fields)}")
            self.queue.append(payload)
        self._drained.clear()

    async def send(self, *payloads):
        """Queue payloads and wait until the queue is empty."""
        self.send_nowait(*payloads)
        await self.wait()

    async def wait(self):
        """Wait until all that is queued has been transferred."""
        if self.queue:
            await self._drained.wait()

    def clear(self):
        """Forget what is queued, offered or not: while the block is in reset."""
        self.queue.clear()
        self._drained.set()
        self._busy = False
        self.bus.valid.value = self._driven = 0

    def _drive(self, payload):
        for name, mask in self._masks.items():
            value = payload[name] & mask
            if value != self._shown.get(name):
                self.pins[name].value = self._shown[name] = value

    def _step(self):
        if self._busy and self.high("ready", self._ready) and not self.in_reset():
            self.queue.popleft()
            self.sent += 1
            self._busy = False
            if not self.queue:
                self._drained.set()
        if self._busy or not (self.queue or self._driven):
            return
        busy = self._busy = bool(self.queue) and not self.in_reset() and not self.paused()
        if busy != self._driven:
            self.bus.valid.value = self._driven = int(busy)
        if busy:
            self._drive(self.queue[0])


class StreamMonitor(StreamPort):
    """Collects the payloads that pass a port, as dicts of ints, and checks the handshake. `received` counts transfers.

    Checked at every rising edge outside reset: valid and ready are no X, nor is a transferred payload; once up, valid
    and payload hold until the transfer.
    """

    def __init__(self, dut, prefix, **fields):
        super().__init__(dut, prefix, **fields)
        self.queue, self.received = deque(), 0
        self._arrived = Event()
        self._offered = None
        at_every_edge(self.clk, self.step)

    async def recv(self):
        """The oldest payload that was not taken yet; waits for one."""
        await self.wait(1)
        return self.queue.popleft()

    async def wait(self, count):
        """Wait until `count` payloads are in the queue."""
        while len(self.queue) < count:
            self._arrived.clear()
            await self._arrived.wait()

    def step(self):
        """Look at the pins as they are just before a rising edge."""
        if self.in_reset():
            self._offered = None
            return
        ready = self.high("ready", self._ready)
        bits = {name: read() for name, read in self._payload} if self.high("valid", self._valid) else None
        if self._offered is not None and bits != self._offered:
            raise ProtocolError(f"{self.prefix}: {self._offered} was offered and not taken, then became {bits}")
        if bits is not None and ready:
            self.queue.append({name: self._number(name, text) for name, text in bits.items()})
            self.received += 1
            self._arrived.set()
        self._offered = None if ready else bits

    def _number(self, name, text):
        try:
            number = int(text, 2)
        except ValueError:
            raise ProtocolError(f"{self.prefix}_{name} is {text} in a transfer") from None
        return number - (1 << len(text)) if self.fields[name] < 0 and text[0] == "1" else number


class StreamSink(StreamMonitor):
    """A monitor that drives `ready` of a source port (`m`) of the block; its pauses are back-pressure."""

    def __init__(self, dut, prefix, **fields):
        super().__init__(dut, prefix, **fields)
        self._driven = 0  # what ready was set to last
        self.bus.ready.value = 0

    def step(self):
        super().step()
        ready = not self.paused()
        if ready != self._driven:
            self.bus.ready.value = self._driven = int(ready)
