"""The cocotb side of `sim.remote`: a test that does what it is asked over a socket, until it is told to close.

A request is (name of a method of `Server`, its arguments). Requests are answered between two rising edges, at the
falling one. Coroutines that have nothing to look at wait for a signal, not for every edge.
"""

import os
import random
import socket
from collections import deque
from multiprocessing.connection import Connection

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Event, FallingEdge, First, RisingEdge, Timer
from cocotb.utils import get_sim_time

from llama2_myhdl.sim.axi_memory import ReadMemory
from llama2_myhdl.sim.axi_writes import ReadWriteMemory
from llama2_myhdl.sim.clock import PERIOD_NS

ADDRESS = "SIMULATOR_ADDRESS"  # environment variable: the socket
WORD = 64
LOOK_UP = 500  # cycles between two looks at the connection


class ServedSource:
    """As `sim.simulator.Source`."""

    def __init__(self, server, prefix, bits):
        self.valid, self.ready = (server.pin(f"{prefix}_{name}") for name in ("valid", "ready"))
        self.fields = [(server.pin(f"{prefix}_{name}"), (width + 7) // 8) for name, width in bits.items()]
        self.server, self.queue, self.drained, self.filled = server, deque(), Event(), Event()
        self.drained.set()
        self.offers = False
        self.valid.value = 0
        cocotb.start_soon(self.run())

    def send(self, payloads, due):
        self.queue.extend((due, row.tobytes()) for row in payloads)
        self.drained.clear()
        self.filled.set()
        if not self.offers and self.server.edges >= due:
            self.offer()

    def drop(self):
        self.queue.clear()
        self.drained.set()
        self.offers = False
        self.valid.value = 0

    def offer(self):
        data = self.queue[0][1]
        for pin, size in self.fields:
            pin.value = int.from_bytes(data[:size], "little")
            data = data[size:]
        self.valid.value = 1
        self.offers = True

    async def run(self):
        edge = RisingEdge(self.server.clk)
        while True:
            if not self.queue:
                self.filled.clear()
                await self.filled.wait()
            await edge
            if self.offers and self.ready.value == 1 and not self.server.in_reset():
                self.queue.popleft()
                self.offers = False
                self.valid.value = 0
                if not self.queue:
                    self.drained.set()
            # the edge just before this moment is counted, so this is the number of the next one
            if not self.offers and self.queue and self.server.edges >= self.queue[0][0]:
                self.offer()


class ServedRecorder:
    """As `sim.simulator.Recorder`."""

    def __init__(self, server, fields, bits, stream, wakes):
        self.fields = [(server.pin(path), (width + WORD - 1) // WORD) for path, width in zip(fields, bits)]
        self.stream = None if stream is None else [server.pin(f"{stream}_{name}") for name in ("valid", "ready")]
        self.server, self.wakes, self.rows, self.armed, self.last = server, wakes, [], Event(), None
        self.armed.set()
        cocotb.start_soon(self.transfers() if stream else self.changes())

    def arm(self, on):
        (self.armed.set if on else self.armed.clear)()
        self.last = None

    def record(self):
        row = []
        for pin, words in self.fields:
            text = str(pin.value)
            number = int(text, 2) if set(text) <= {"0", "1"} else 0  # unknown only where nothing is valid
            row += [number >> WORD * k & (1 << WORD) - 1 for k in range(words)]
        return row

    def keep(self, row):
        self.rows.append([self.server.edges - 1, *row])
        if self.wakes:
            self.server.woken.set()

    async def transfers(self):
        edge, (valid, ready) = RisingEdge(self.server.clk), self.stream
        while True:
            await self.armed.wait()
            await edge
            if valid.value != 1:
                await RisingEdge(valid)
            elif ready.value == 1 and self.armed.is_set() and not self.server.in_reset():
                self.keep(self.record())

    async def changes(self):
        edge = RisingEdge(self.server.clk)
        while True:
            await self.armed.wait()
            await edge
            row = self.record()
            if row != self.last and self.armed.is_set() and not self.server.in_reset():
                self.last = row
                self.keep(row)


class Closed(Exception):
    """The host wants no more."""


class Server:
    """The methods that may be asked for; see `sim.simulator.Simulator`."""

    def __init__(self, dut, connection):
        self.dut, self.clk, self.pins, self.connection = dut, dut.clk, {}, connection
        self.sources, self.recorders, self.memories, self.woken = [], [], [], Event()

    @property
    def edges(self):
        """Rising edges so far, one at this moment included; without the one at time 0, before all that is asked for."""
        return int(get_sim_time("ns")) // PERIOD_NS

    def in_reset(self):
        return self.dut.rst.value != 0

    def pin(self, path):
        if path not in self.pins:
            handle = self.dut
            for name in path.split("."):
                handle = getattr(handle, name)
            self.pins[path] = handle
        return self.pins[path]

    def has(self, path):
        try:
            self.pin(path)
        except AttributeError:
            return False
        return True

    def bits(self, path):
        return len(self.pin(path))

    def get(self, path):
        return int(self.pin(path).value)

    def set(self, pins):
        for name, value in pins.items():
            self.pin(name).value = value

    def source(self, prefix, bits):
        self.sources.append(ServedSource(self, prefix, bits))
        return len(self.sources) - 1

    def send(self, number, payloads, due):
        self.sources[number].send(payloads, due)

    def drop(self, number):
        self.sources[number].drop()

    def idle(self, number):
        return not self.sources[number].queue

    def recorder(self, fields, bits, stream, wakes):
        self.recorders.append(ServedRecorder(self, fields, bits, stream, wakes))
        return len(self.recorders) - 1

    def arm(self, number, on):
        self.recorders[number].arm(on)

    def take(self, number):
        recorder = self.recorders[number]
        rows, recorder.rows = recorder.rows, []
        return rows

    def memory(self, prefix, axi, regions, seed, writes):
        kind = ReadWriteMemory if writes else ReadMemory
        self.memories.append(kind(self.dut, prefix, axi, regions, random.Random(seed)))
        return len(self.memories) - 1

    def fill(self, number, parts):
        self.memories[number].fill(parts)

    def behave(self, number, changes):
        self.memories[number].behave(**changes)

    def seen(self, number, name):
        return self.memories[number].seen(name)

    async def any_of(self, events, target):
        """Whether an event came, or edge number `target` did; looks up now and then."""
        cycles = min(target - self.edges, LOOK_UP)
        await First(Timer(cycles * PERIOD_NS, "ns"), *(event.wait() for event in events))
        return self.edges >= target or any(event.is_set() for event in events)

    async def run(self, cycles, drained):
        self.woken.clear()
        target = self.edges + cycles
        triggers = [self.woken]
        if drained is not None:
            triggers.append(self.sources[drained].drained)
        while cycles and not await self.any_of(triggers, target):
            if self.connection.poll():  # nothing is asked for while something runs, but to close
                raise Closed
        if int(get_sim_time("ns")) % PERIOD_NS == 0:  # something has happened at a rising edge
            await FallingEdge(self.clk)
        return self.edges


@cocotb.test()
async def serve(dut):
    """Until the host closes the connection."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(os.environ[ADDRESS])
        connection = Connection(client.detach())
    server = Server(dut, connection)
    Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start()
    await FallingEdge(dut.clk)
    while True:
        name, arguments = connection.recv()
        if name == "close":
            return
        try:
            result = getattr(server, name)(*arguments)
            connection.send(await result if name == "run" else result)
        except Closed:
            return
