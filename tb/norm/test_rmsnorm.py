"""rmsnorm against golden.fixed.norm: vectors of every kind, random traffic, gains ahead and late."""
import random

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles

import llama2_myhdl.golden.fixed.norm as golden
from llama2_myhdl.rtl.matvec.streams import SCALE_BITS
from llama2_myhdl.rtl.norm.rmsnorm import LATENCY, R_LATENCY, ports, rmsnorm
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.constants import epsilon_term
from llama2_myhdl.spec.formats import EPS_FRAC, EXP2_FRAC, F_BITS, GAIN_BITS
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.program import gain_beats
from tb.bench import Bench, moments

LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1
TOP_GAIN = (1 << (GAIN_BITS - 1)) - 1


@pytest.mark.parametrize("name", ["default", "nano"])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_rmsnorm(sim, name):
    run(rmsnorm, ports(preset(name).build), __name__, sim, parameters=dict(preset=name), tests=5)


class RmsNormBench(Bench):
    """The golden results of what was sent: elements, and in `wanted_r` the scalars."""

    def __init__(self, dut, rng):
        super().__init__(dut, rng)
        self.cfg, self.wanted_r = preset(test_parameters()["preset"]).build, []
        self.gains = StreamSource(dut, "s_gain", data=self.cfg.beat_bits)
        self.source = StreamSource(dut, "s_x", data=-F_BITS, last=1)
        self.sink = StreamSink(dut, "m_y", data=-F_BITS, last=1)
        self.scalars = StreamSink(dut, "m_r", factor=EXP2_FRAC + 1, scale=-SCALE_BITS)
        self.ports = self.gains, self.source, self.sink, self.scalars
        dut.eps_term.value = 0
        dut.gain_beats.value = 1

    def set_shape(self, dim, eps_term):
        self.dim, self.eps_term = dim, eps_term
        self.dut.eps_term.value = eps_term
        self.dut.gain_beats.value = gain_beats(dim, self.cfg)

    def send(self, x, gain, exponent):
        """Queue one vector and its gains; what must come out joins the wanted lists."""
        lanes = self.cfg.lanes
        tail = [0] * (-len(gain) % (lanes * 8 // GAIN_BITS))
        data = np.array(gain + tail, dtype="<i2").tobytes()
        beats = [exponent & 0xFF] + [int.from_bytes(data[k:k + lanes], "little") for k in range(0, len(data), lanes)]
        self.gains.send_nowait(*[dict(data=beat) for beat in beats])
        self.source.send_nowait(*[dict(data=v, last=int(k == len(x) - 1)) for k, v in enumerate(x)])
        y = golden.scale_by_gain(x, np.array(gain)).tolist()
        self.wanted += [dict(data=v, last=int(k == len(x) - 1)) for k, v in enumerate(y)]
        factor, k = golden.inverse_rms(x, self.eps_term)
        self.wanted_r.append(dict(factor=factor, scale=exponent + k - EXP2_FRAC))

    def random_vector(self):
        rng, dim = self.rng, self.dim
        span = rng.randrange(F_BITS)
        gain = [rng.choice([-TOP_GAIN, TOP_GAIN, 0, rng.randint(-TOP_GAIN, TOP_GAIN)]) for _ in range(dim)]
        self.send([rng.randrange(LOW, HIGH + 1) >> span for _ in range(dim)], gain, rng.randrange(-60, 60))

    async def settle(self):
        await self.sink.wait(len(self.wanted))
        await self.scalars.wait(len(self.wanted_r))
        await ClockCycles(self.dut.clk, 2 * R_LATENCY)

    async def finish(self):
        """Compare everything; returns the counts of elements and of scalars."""
        await self.settle()
        compared = await self.compare(1)
        assert list(self.scalars.queue) == self.wanted_r
        assert not self.gains.queue
        assert self.source.sent == compared
        return compared, self.scalars.received


@cocotb.test(timeout_time=3, timeout_unit="ms")
async def extremes(dut):
    """Zeros with and without epsilon, single elements, all at the limits, tiny values; every factor of the gain."""
    bench = RmsNormBench(dut, random.Random(1))
    await bench.start()
    for dim in (1, 2, bench.cfg.max_dim - 1, bench.cfg.max_dim):
        for eps in (0, 1, epsilon_term(dim, 1e-5), (1 << EPS_FRAC) - 1):
            bench.set_shape(dim, eps)
            for value in (0, 1, -1, LOW, HIGH, LOW + 1, 0xFFFF, -0x10000):
                for gain in (TOP_GAIN, -TOP_GAIN):
                    bench.send([value] * dim, [gain] * dim, 60 if gain > 0 else -60)
            await bench.settle()
    elements, scalars = await bench.finish()
    assert elements == (3 + 2 * bench.cfg.max_dim - 1) * 4 * 16
    assert scalars == 4 * 4 * 16


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def random_traffic(dut):
    rng = random.Random(3)
    bench = RmsNormBench(dut, rng)
    await bench.start()
    for pauses in [(0, 0, 0, 0), (0.5, 0.5, 0.5, 0.5), (0, 0, 0.8, 0), (0, 0.8, 0, 0), (0.9, 0, 0, 0.9)]:
        bench.pause(*pauses)
        for dim in (bench.cfg.max_dim, 2, bench.cfg.max_dim // 2 + 1, 5):
            bench.set_shape(dim, epsilon_term(dim, 1e-5))
            for _ in range(6):
                bench.random_vector()
            await bench.settle()
    elements, scalars = await bench.finish()
    assert elements == 5 * 6 * (bench.cfg.max_dim + 2 + bench.cfg.max_dim // 2 + 1 + 5)
    assert scalars == 5 * 6 * 4


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    """LATENCY to each element, no gap in a vector, R_LATENCY from the last element to the scalar."""
    bench = RmsNormBench(dut, random.Random(4))
    await bench.start()
    bench.set_shape(bench.cfg.max_dim, 1)
    await ClockCycles(dut.clk, 3)
    bench.random_vector()
    seen = await moments(dut, "m_r", 1, moved=("s_x",), offered=("m_y", "m_r"))
    entered, left = seen["s_x"], seen["m_y"]
    assert entered == list(range(entered[0], entered[0] + bench.dim))
    assert left == [cycle + LATENCY for cycle in entered]
    assert seen["m_r"] == [entered[-1] + R_LATENCY]
    assert await bench.finish() == (bench.dim, 1)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def reset_drops_what_is_under_way(dut):
    """Whatever stage it has come to: nothing comes out behind the reset, and the next vector is right."""
    bench = RmsNormBench(dut, random.Random(6))
    await bench.start()
    bench.set_shape(bench.cfg.max_dim, 1)
    for cycles in range(1, R_LATENCY, 5):
        bench.random_vector()
        sent = bench.source.sent + bench.dim
        while bench.source.sent < sent:
            await ClockCycles(dut.clk, 1)
        await ClockCycles(dut.clk, cycles)
        dut.rst.value = 1
        await ClockCycles(dut.clk, 2)
        dut.rst.value = 0
        for dropped in (bench.sink.queue, bench.scalars.queue, bench.wanted, bench.wanted_r):
            dropped.clear()
        await ClockCycles(dut.clk, 2 * R_LATENCY)
        assert not bench.sink.queue and not bench.scalars.queue
        bench.random_vector()
        await bench.settle()
        assert list(bench.sink.queue) == bench.wanted and list(bench.scalars.queue) == bench.wanted_r
    assert bench.source.sent == 2 * bench.dim * len(range(1, R_LATENCY, 5))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """One wrong bit in every gain and one in the epsilon, and all outputs differ."""
    bench = RmsNormBench(dut, random.Random(5))
    await bench.start()
    bench.set_shape(bench.cfg.max_dim, 1)
    x = [1 << 14] * bench.dim
    bench.send(x, [1] * bench.dim, 0)
    good = list(bench.wanted), list(bench.wanted_r)
    bench.wanted, bench.wanted_r = [], []
    bench.set_shape(bench.dim, 1 | 1 << EPS_FRAC - 1)
    bench.gains.queue.clear()
    bench.source.queue.clear()
    bench.send(x, [3] * bench.dim, 0)
    bench.wanted, bench.wanted_r = good
    with pytest.raises(AssertionError):
        await bench.finish()
    assert bench.sink.received == bench.dim and bench.scalars.received == 1
    assert all(a["data"] != b["data"] for a, b in zip(bench.sink.queue, good[0]))
    assert list(bench.scalars.queue) != good[1]
