"""The loader with a source and a sink around it: boots one image after the other, each behind a reset."""

import random
from dataclasses import replace

from cocotb.triggers import ClockCycles, with_timeout

from llama2_myhdl.sim.clock import PERIOD_NS, RESET_CYCLES, at_every_edge, start_clock
from llama2_myhdl.sim.streams import StreamSink, StreamSource, reader
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.presets import build_of
from tb.boot.images import words

BUILDS = {
    "nano": build_of("nano"),
    "two_engines": build_of("nano", engines=2),
    "weights_of_16_bits": build_of("nano", weight_bits=16),
    "eight_lanes": replace(build_of("nano"), lanes=8, max_dim=56, max_heads=12, max_kv_heads=6, max_head_dim=16),
    "three_engines": replace(build_of("nano"), min_hidden_block=4, max_layers=8, max_kv_heads=4, engines=3),
}
SETTLE = 10  # cycles from the last beat to the code
PATIENCE = 5000  # cycles beside ten for each beat: then the loader is stuck


class LoaderBench:
    """payload: sink of what the loader passes on; writes: (address, data) of the RoPE frequencies of the last image."""

    def __init__(self, dut, build, pause=0.0):
        fields = dict(data=build.beat_bits, last=1)
        self.dut, self.build, self.writes = dut, build, []
        self.source, self.payload = StreamSource(dut, "s", **fields), StreamSink(dut, "m", **fields)
        rng = random.Random(8)
        for port in (self.source, self.payload):
            port.pause(rng, pause)
        dut.rst.value = 1
        start_clock(dut)
        self._write = reader(dut.freq_we)
        at_every_edge(dut.clk, self._watch)

    def _watch(self):
        if self._write() == "1":
            self.writes.append((int(self.dut.freq_addr.value), int(self.dut.freq_data.value)))

    async def boot(self, beats):
        """Reset, then send these beats to the last one; returns the error code. SimTimeoutError if one is not taken."""
        dut = self.dut
        dut.rst.value = 1
        await ClockCycles(dut.clk, RESET_CYCLES)
        dut.rst.value = 0
        await ClockCycles(dut.clk, 1)
        self.writes.clear()
        self.payload.queue.clear()
        await with_timeout(self.source.send(*words(beats)), (10 * len(beats) + PATIENCE) * PERIOD_NS, "ns")
        await ClockCycles(dut.clk, SETTLE)
        assert dut.loaded.value == (dut.error.value == errors.NONE)
        return int(dut.error.value)
