"""rope against golden.fixed.rope: tokens of key and query heads, every head size, random traffic."""
import random

import cocotb
import pytest

import llama2_myhdl.golden.fixed.rope as golden
from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.rtl.rope.rope import LATENCY, ports, rope
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.constants import frequencies
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.kinds import KEY, KIND_BITS, QUERY
from llama2_myhdl.spec.presets import preset
from tb.bench import Bench, moments
from tb.rope.frequencies import write_frequencies

# 8 pairs a head; 2; 24, which is no power of two, with a table deeper than what is used
CONFIGS = {name: preset(name).build for name in ("default", "nano", "stories15M")}
LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_rope(sim, name):
    run(rope, ports(CONFIGS[name]), __name__, sim, parameters=dict(config=name), tests=3)


class RopeBench(Bench):
    """The golden results of what was sent."""

    def __init__(self, dut, rng):
        super().__init__(dut, rng)
        self.cfg, self.stats = CONFIGS[test_parameters()["config"]], Tally()
        self.source = StreamSource(dut, "s", data=-F_BITS, kind=KIND_BITS, last=1)
        self.positions = StreamSource(dut, "s_pos", pos=self.cfg.pos_bits)
        self.sink = StreamSink(dut, "m", data=-F_BITS, tag=KIND_BITS, last=1)
        self.ports = self.source, self.sink

    async def start(self):
        self.dut.freq_we.value = 0
        self.dut.pairs.value = 1
        await super().start()

    async def set_shape(self, head_dim, theta=10000.0):
        self.frequencies = frequencies(head_dim, theta)
        self.dut.pairs.value = head_dim // 2
        await write_frequencies(self.dut, self.frequencies)

    def element(self):
        if self.rng.random() < 0.4:
            return self.rng.choice([LOW, LOW + 1, -1, 0, 1, HIGH])
        return self.rng.randrange(LOW, HIGH + 1) >> self.rng.randrange(16)

    def head(self, pos, kind):
        """Payloads of one head of random elements; what must come out joins `wanted`."""
        head_dim = 2 * len(self.frequencies)
        v = [self.element() for _ in range(head_dim)]
        out = golden.rope(v, *golden.angles(pos, self.frequencies), self.stats).tolist()
        self.wanted += [dict(data=y, tag=kind, last=int(k == head_dim - 1)) for k, y in enumerate(out)]
        return [dict(data=x, kind=kind, last=self.rng.randrange(2)) for x in v]

    async def token(self, pos, kv_heads, heads):
        """One position, then its rows; returns when all results are out."""
        await self.positions.send(dict(pos=pos))
        for kind in [KEY] * kv_heads + [QUERY] * heads:
            self.source.send_nowait(*self.head(pos, kind))
        await self.sink.wait(len(self.wanted))

    async def finish(self):
        """Compare everything; returns how many elements that were."""
        compared = await self.compare(3 * LATENCY)
        assert self.source.sent == compared
        assert self.pulses == self.stats.count
        return compared


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def random_traffic(dut):
    """Head sizes from 2 to the maximum at run time, first, last and random positions, idle against back-pressure."""
    rng = random.Random(3)
    bench = RopeBench(dut, rng)
    await bench.start()
    largest, max_seq = bench.cfg.max_head_dim, bench.cfg.max_seq
    sizes = range(2, largest + 1, 2) if largest <= 16 else (2, 4, 10, largest - 2, largest)
    pauses = [(0, 0), (0.5, 0), (0, 0.5), (0.3, 0.7), (0.8, 0.8)]
    for head_dim in sizes:
        await bench.set_shape(head_dim, rng.choice([10000.0, 500000.0]))
        for pos in (0, max_seq - 1, *[rng.randrange(max_seq) for _ in range(3)]):
            bench.pause(*rng.choice(pauses))
            await bench.token(pos, 2, 3)
    assert await bench.finish() == 5 * 5 * sum(sizes)
    assert bench.pulses > 0


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def latency_and_throughput(dut):
    """One element a cycle without a gap; LATENCY cycles from the first element of a pair to its first result."""
    bench = RopeBench(dut, random.Random(4))
    await bench.start()
    await bench.set_shape(bench.cfg.max_head_dim)
    await bench.token(1, 1, 1)  # angles are ready from here on
    before = bench.sink.received
    payloads = [p for _ in range(8) for p in bench.head(1, QUERY)]
    bench.source.send_nowait(*payloads)
    seen = await moments(dut, "m", len(payloads), moved=("s",), offered=("m",))
    results = seen["m"]
    assert results[0] - seen["s"][0] == LATENCY
    assert results == list(range(results[0], results[0] + len(payloads)))
    assert bench.sink.received - before >= len(payloads) - 1
    assert await bench.finish() == 10 * bench.cfg.max_head_dim


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """One wrong position, and nearly every result differs from the golden one."""
    bench = RopeBench(dut, random.Random(5))
    await bench.start()
    await bench.set_shape(bench.cfg.max_head_dim)
    await bench.token(7, 1, 2)
    good, bench.wanted = bench.wanted, []
    await bench.positions.send(dict(pos=8))
    bench.source.send_nowait(*bench.head(7, QUERY))
    await bench.sink.wait(len(good) + bench.cfg.max_head_dim)
    with pytest.raises(AssertionError):
        await bench.finish()
    found = list(bench.sink.queue)[len(good):]
    assert sum(a["data"] != b["data"] for a, b in zip(found, bench.wanted)) > bench.cfg.max_head_dim // 2
