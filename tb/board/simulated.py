"""A simulated board on a modelled serial line, for tests to talk to byte by byte, and a bridge to a pseudo-terminal."""

import os
import select
import threading
import tty

from llama2_myhdl.hdl.ports import bind
from llama2_myhdl.rtl.board.board import board, ports
from llama2_myhdl.sim.build import build as build_block
from llama2_myhdl.sim.native import NativeSimulator
from llama2_myhdl.spec.config import BuildConfig
from tb.board.flash import Flash
from tb.board.line import FRAME_BITS, Receiver, edges

# 4 1/2 cycles a bit: a fraction, as the 26 2/3 of a board with 80 MHz, and near the least that a line may have
CLOCK_HZ, BAUD, DIGEST = 13_500_000, 3_000_000, 0xCAFE
RESET_CYCLES = 4
LOOK_CYCLES = 2  # between two looks of the flash at its pins


class SimulatedBoard:
    """The board's top in Verilator; `sim` shows its pins. flash: None for an empty one."""

    def __init__(self, build: BuildConfig):
        self.flash: Flash | None = None
        arguments = ports(build, CLOCK_HZ, BAUD, DIGEST, hold=8)
        bound = bind(board.func, (), arguments).arguments
        self.clocks, self.bits = bound["CLOCKS"], bound["BITS"]
        built = build_block(board, arguments, "verilator", library=True)
        self.sim = NativeSimulator(built.file, built.top)
        self._changes = self.sim.recorder(["txd"])
        self._receiver = Receiver(self.clocks, self.bits)
        self.sent = bytearray()  # that the board has sent
        self.byte_cycles = -(-FRAME_BITS * self.clocks // self.bits)
        self.reset()

    def reset(self, flash: Flash | None = None) -> None:
        """Begin anew, with a flash or without one."""
        self.flash = flash
        self.sim.set(rst=1, rxd=1, miso=1)
        self.sim.run(RESET_CYCLES)
        self.sim.set(rst=0)
        self.sim.run(RESET_CYCLES)
        self._changes.take()
        self.sent.clear()

    def _run(self, cycles: int) -> None:
        end = self.sim.cycle + cycles
        while self.flash is not None and self.sim.cycle < end:
            self.sim.run(min(LOOK_CYCLES, end - self.sim.cycle))
            cs_n, sck, mosi = (self.sim.get(name) for name in ("cs_n", "sck", "mosi"))
            self.sim.set(miso=self.flash.pins(cs_n, sck, mosi))
            if cs_n and self.flash.addresses:  # it has been read, and is not any more
                self.flash = None
        self.sim.run(end - self.sim.cycle)

    def send(self, data: bytes) -> None:
        """Put bytes on the line, one behind the other, and hear what comes meanwhile."""
        begin, before = self.sim.cycle, 1
        for cycle, level in edges(data, self.clocks, self.bits, begin):
            if level != before:
                self._run(cycle - self.sim.cycle)
                self.sim.set(rxd=level)
                before = level
        self._run(begin + len(data) * FRAME_BITS * self.clocks // self.bits - self.sim.cycle)
        self.listen(0)

    def listen(self, cycles: int) -> bytes:
        """Run, and take what has come since the last call."""
        self._run(cycles)
        changes = [(int(cycle), int(level)) for cycle, level in self._changes.take()]
        heard = self._receiver.feed(changes, self.sim.cycle)
        self.sent += heard
        return heard

    def close(self) -> None:
        self.sim.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self.close()


class Bridge:
    """A pseudo-terminal whose other end is the line of a simulated board: `path` is the port for a host's program.

    damage: told each byte for the board and its number, gives what the line makes of it; damage_back: of the board's.
    `toward`, `back`: bytes so far.
    """

    STEP = 24  # bytes on the line between two looks at what the host has to say
    REST = 40  # the same when it says nothing
    SILENT, WAIT_SECONDS = 64, 0.02  # looks in which neither end said anything; then the board waits for the host

    def __init__(self, device: SimulatedBoard, damage=None, damage_back=None):
        self.device, self._damage, self._damage_back = device, damage, damage_back
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self.toward = self.back = self._silent = 0
        self.fault = None  # what has ended the bridge
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception) -> None:
        self._over.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)
        if self.fault is not None and exception[0] is None:
            raise self.fault

    def _serve(self) -> None:
        try:
            while not self._over.is_set():
                self._pass()
        except BaseException as fault:  # noqa: B036  the test's thread raises it again
            self.fault = fault

    def _pass(self) -> None:
        if self._silent > self.SILENT:  # a board with nothing to say simulates as well when a host's timeout is over
            select.select([self._master], [], [], self.WAIT_SECONDS)
        before = len(self.device.sent)
        try:
            data = os.read(self._master, self.STEP)
        except BlockingIOError:
            data = b""
        if data:
            self.device.send(self._through(data, self._damage, self.toward))
            self.toward += len(data)
        else:
            self.device.listen(self.REST * self.device.byte_cycles)
        heard = bytes(self.device.sent[before:])
        if heard:
            os.write(self._master, self._through(heard, self._damage_back, self.back))
            self.back += len(heard)
        self._silent = 0 if data or heard else self._silent + 1

    @staticmethod
    def _through(data: bytes, damage, count: int) -> bytes:
        return data if damage is None else b"".join(damage(byte, count + k) for k, byte in enumerate(data))
