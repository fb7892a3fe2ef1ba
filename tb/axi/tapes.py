"""A read master before a memory: regions with contents, the sinks behind them, and what they are to bring."""

import random
from itertools import cycle, islice

from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.sim.axi_memory import ReadMemory
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.streams import StreamSink
from llama2_myhdl.spec.axi import PAGE, ReadMaster
from llama2_myhdl.spec.errors import NONE

QUIET = 30  # cycles without a burst after which none comes, while nothing is taken


class Tapes:
    """The bench of `read_master` with regions of BEAT_BITS a beat, one for each entry of `lengths`.

    They lie at random places, one behind the other, and what is between them is not zero.
    """

    def __init__(self, dut, axi: ReadMaster, beat_bits: int, lengths: list[int], seed: int):
        self.dut, self.axi, self.beat_bits, self.rng = dut, axi, beat_bits, random.Random(seed)
        self.memory = ReadMemory(dut, "m_axi", axi, len(lengths), self.rng)
        self.sinks = [StreamSink(dut, f"m_{k}", data=beat_bits) for k in range(len(lengths))]
        self.compared = 0
        self.lengths, self.bases, self.tapes = lengths, [], []
        address = self.rng.randrange(1 << (axi.address_bits - 1))
        for length in lengths:
            address = (address + self.rng.randrange(4 * PAGE)) // axi.word_bytes * axi.word_bytes
            words = axi.words(length, beat_bits)
            data = self.rng.randbytes(words * axi.word_bytes)
            self.memory.put(address, data)
            size = beat_bits // 8
            self.tapes.append([int.from_bytes(data[k * size : (k + 1) * size], "little") for k in range(length)])
            self.bases.append(address)
            address += len(data)
        dut.enable.value = 0

    async def start(self):
        """Reset, and begin to read."""
        for k, (base, length) in enumerate(zip(self.bases, self.lengths)):
            getattr(self.dut, f"base_{k}").value = base
            getattr(self.dut, f"beats_{k}").value = length
        await start(self.dut)
        self.dut.enable.value = 1

    async def restart(self):
        """Reset once more, by hand: the clock runs."""
        self.dut.rst.value, self.dut.enable.value = 1, 0
        await ClockCycles(self.dut.clk, 3)
        for sink in self.sinks:
            sink.queue.clear()
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 1)
        self.dut.enable.value = 1

    def pause(self, *probabilities: float):
        """Back-pressure of each sink."""
        for sink, probability in zip(self.sinks, probabilities, strict=True):
            sink.pause(self.rng, probability)

    def compare(self, k: int) -> int:
        """What has come from region k since the last reset is its beginning; returns how many beats."""
        got = [beat["data"] for beat in self.sinks[k].queue]
        assert got == list(islice(cycle(self.tapes[k]), len(got)))
        self.compared += len(got)
        return len(got)

    async def drain(self, limit: int = 4000):
        """Wait until no burst has been under way for a while; that is so within the limit, or it hangs."""
        quiet = 0
        for _ in range(limit):
            await RisingEdge(self.dut.clk)
            quiet = 0 if self.dut.busy.value == 1 else quiet + 1
            if quiet == QUIET:
                break
        else:
            raise AssertionError(f"bursts are under way after {limit} cycles")
        self.memory.monitor.finish()

    def no_error(self):
        assert self.dut.error.value == NONE
