"""The engine with a tape that pauses: the same residual vectors, and of all causes only `tape` counts more.

Other waits get shorter: what they wait for goes on while the tape pauses.
"""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.golden.fixed.embedding import embed
from llama2_myhdl.rtl.layer.engine import engine, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.counters import COUNTERS
from llama2_myhdl.spec.program import gain_beats
from tb.layer.engine_bench import BUILD, load, packet_tape
from tb.sim.models import random_model

SHAPE = ModelShape(8, 22, 2, 2, 1, 29, 12)
# tokens, and the probabilities that the tape has no beat, cycle by cycle; in Icarus fewer, for it is slow
EFFORT = {
    "verilator": ([5, 9, 3, 28, 0, 17], (0, 0.1, 0.6, 0.9)),
    "icarus": ([5, 28, 0], (0, 0.1, 0.7)),
}
BEATS = ("weights", "headers", "tokens", "saturations")  # what a story has, however slow
WAITS = ("activation", "attention", "downstream", "idle")
GAIN_BEATS = 1 + gain_beats(SHAPE.dim, BUILD)  # at the front of the tape, before the exponents of the first rows
SETTLE = 20  # cycles from the last element until the counters are still


@pytest.mark.parametrize("sim", SIMULATORS)
def test_engine(sim):
    run(engine, ports(BUILD.engine, head=False), __name__, sim, parameters=dict(effort=EFFORT[sim]), tests=2)


class Bench:
    """An engine with all layers of a random model, its packets and its tape."""

    def __init__(self, dut):
        self.dut = dut
        self.tokens, self.pauses = test_parameters()["effort"]
        self.golden, image = random_model(7, BUILD, SHAPE)
        self.tape = packet_tape(image, BUILD)
        label = dict(seq=BUILD.seq_bits, pos=BUILD.pos_bits, scored=1)
        self.source = StreamSource(dut, "s", data=-BUILD.f_bits, **label, last=1)
        self.weights = StreamSource(dut, "s_tape", data=BUILD.beat_bits)
        self.sink = StreamSink(dut, "m", data=-BUILD.f_bits, **label, last=1)

    async def boot(self):
        dut = self.dut
        dut.enable.value = dut.select.value = dut.freq_we.value = 0
        await start(dut)
        await load(dut, SHAPE)

    def packet(self, token, pos):
        """Elements of a token's embedding, and of what the layers make of it."""
        table, taps = self.golden.weights.embedding, {}
        self.golden.forward(token, pos, taps, scored=False)
        for x in embed(table.mantissa[token], table.exponent[token]), taps["x_layer", SHAPE.n_layers - 1]:
            last = len(x) - 1
            yield [dict(data=int(y), seq=0, pos=pos, scored=1, last=int(k == last)) for k, y in enumerate(x)]

    async def story(self, pause):
        """All tokens with a tape that pauses so often; the counters of the story, and how many values were compared."""
        self.golden.reset()
        self.weights.pause(random.Random(3), pause)
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 2)
        self.dut.rst.value, self.dut.enable.value = 0, 1
        wanted = []
        self.sink.queue.clear()
        self.weights.send_nowait(*[dict(data=beat) for beat in len(self.tokens) * self.tape])
        for pos, token in enumerate(self.tokens):
            given, made = self.packet(token, pos)
            self.source.send_nowait(*given)
            wanted += made
            await self.sink.wait(len(wanted))
        await ClockCycles(self.dut.clk, SETTLE)
        assert list(self.sink.queue) == wanted
        assert not self.weights.queue  # every beat of the tape was taken once a token
        return await self.counters(), len(wanted)

    async def counters(self):
        """All of them, standing still."""
        self.dut.enable.value, found = 0, {}
        for number, name in enumerate(COUNTERS):
            self.dut.select.value = number
            await ClockCycles(self.dut.clk, 2)
            found[name] = int(self.dut.value.value)
        return found


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_slow_tape_costs_stalls(dut):
    """The same story with a tape that never pauses and with ever slower ones."""
    bench = Bench(dut)
    await bench.boot()
    steady, tokens = None, len(bench.tokens)
    for pause in bench.pauses:
        found, compared = await bench.story(pause)
        assert compared == tokens * SHAPE.dim
        assert found["tokens"] == tokens
        dut._log.info("%s", found)
        if steady is None:
            steady = slower = found
            assert found["tape"] == 0 and found["weights"] == tokens * SHAPE.beats(BUILD.lanes, classifier=False)
            continue
        assert all(found[name] == steady[name] for name in BEATS)
        assert all(found[name] <= slower[name] for name in WAITS)
        assert found["tape"] > slower["tape"]
        slower = found


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_wrong_beat_is_seen(dut):
    """One weight of the first matrix differs by one bit: the comparison objects."""
    bench = Bench(dut)
    await bench.boot()
    bench.tape[GAIN_BEATS + 1] ^= 1 << (BUILD.weight_bits - 2)
    with pytest.raises(AssertionError):
        await bench.story(0)
