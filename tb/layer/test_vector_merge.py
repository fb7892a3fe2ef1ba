"""Vectors of three sources reach the quantiser whole, tagged, none lost, without an idle cycle between them."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.layer.vector_merge import ports, vector_merge
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec import kinds
from llama2_myhdl.spec.presets import preset
from tb.bench import Bench, moments

BUILD = preset("nano").build
F = BUILD.f_bits
TAGS = {"s_norm": kinds.GAIN, "s_attention": kinds.OUT, "s_ffn": kinds.GATE_UP}
VECTORS = 40


@pytest.mark.parametrize("sim", SIMULATORS)
def test_vector_merge(sim):
    run(vector_merge, ports(BUILD), __name__, sim, tests=3)


class MergeBench(Bench):
    """The vectors sent of each tag, as lists of (data, second or None)."""

    def __init__(self, dut, rng):
        super().__init__(dut, rng)
        self.sources = {name: StreamSource(dut, name, data=-F, last=1) for name in ("s_norm", "s_ffn")}
        self.sources["s_attention"] = StreamSource(dut, "s_attention", data=-F, second=-F, last=1)
        self.sink = StreamSink(dut, "m", data=-F, second=-F, both=1, tag=kinds.KIND_BITS, last=1)
        self.ports = *self.sources.values(), self.sink
        self.sent = {tag: [] for tag in TAGS.values()}

    def send(self, name, length):
        source, pairs = self.sources[name], name == "s_attention"
        values = [(self.rng.randrange(-(1 << 31), 1 << 31), self.rng.randrange(-(1 << 31), 1 << 31) if pairs else None)
                  for _ in range(length)]
        self.sent[TAGS[name]].append(values)
        for k, (data, second) in enumerate(values):
            source.send_nowait(dict(data=data, last=int(k == length - 1)) | (dict(second=second) if pairs else {}))

    async def finish(self):
        """Compare everything; returns the tags of the vectors in their order."""
        got, current, order = {tag: [] for tag in self.sent}, [], []
        for _ in range(sum(len(v) for values in self.sent.values() for v in values)):
            beat = await self.sink.recv()
            if not current:
                order.append(beat["tag"])
            assert beat["tag"] == order[-1], "a vector was torn"
            assert beat["both"] == (beat["tag"] == kinds.OUT)
            current.append((beat["data"], beat["second"] if beat["both"] else None))
            if beat["last"]:
                got[beat["tag"]].append(current)
                current = []
        assert got == self.sent and not current
        await ClockCycles(self.dut.clk, 5)
        assert not self.sink.queue
        return order


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def whole_vectors(dut):
    """All sources at once, random lengths and pauses: per source the order is kept, and no vector is torn."""
    rng = random.Random(9)
    bench = MergeBench(dut, rng)
    bench.pause(0.4, 0.4, 0.4, 0.3)
    await bench.start()
    for name in bench.sources:
        for _ in range(VECTORS):
            bench.send(name, rng.randrange(1, 9))
    order = await bench.finish()
    assert len(order) == len(TAGS) * VECTORS
    assert sum(a != b for a, b in zip(order, order[1:])) > VECTORS // 2  # the sources do meet


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def no_idle_cycle(dut):
    """A first element passes in the cycle in which it is offered, and vectors follow each other without a gap."""
    bench = MergeBench(dut, random.Random(10))
    await bench.start()
    lengths = {"s_norm": 3, "s_attention": 1, "s_ffn": 4}
    for name, length in lengths.items():
        await ClockCycles(dut.clk, 4)
        bench.send(name, length)
        while not getattr(dut, f"{name}_valid").value:
            assert not dut.m_valid.value
            await RisingEdge(dut.clk)
        assert dut.m_valid.value and getattr(dut, f"{name}_ready").value
        await ClockCycles(dut.clk, length + 1)
    for _ in range(5):
        for name, length in lengths.items():
            bench.send(name, length)
    total = 5 * sum(lengths.values())
    moved = (await moments(dut, "m", total, moved=("m",)))["m"]
    assert moved == list(range(moved[0], moved[0] + total))
    order = await bench.finish()
    assert order[3:] == [kinds.GAIN] * 5 + [kinds.OUT] * 5 + [kinds.GATE_UP] * 5


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """One wrong second element is seen."""
    bench = MergeBench(dut, random.Random(11))
    await bench.start()
    bench.send("s_attention", 3)
    data, second = bench.sent[kinds.OUT][0][1]
    bench.sent[kinds.OUT][0][1] = (data, second ^ 1)
    with pytest.raises(AssertionError):
        await bench.finish()
