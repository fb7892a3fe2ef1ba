"""argmax against numpy.argmax: ties, extremes, single logits, random traffic."""
import random

import cocotb
import numpy as np
import pytest

from llama2_myhdl.rtl.logits.argmax import LATENCY, argmax, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.presets import preset
from tb.bench import TRAFFIC, Bench, moments

CFG = preset("default").build
LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1


@pytest.mark.parametrize("sim", SIMULATORS)
def test_argmax(sim):
    run(argmax, ports(CFG), __name__, sim, tests=4)


class ArgmaxBench(Bench):
    """The golden tokens of what was sent."""

    def __init__(self, dut, rng=None):
        super().__init__(dut, rng)
        self.source = StreamSource(dut, "s", data=-F_BITS, last=1)
        self.sink = StreamSink(dut, "m", token=CFG.token_bits)
        self.ports = self.source, self.sink

    def send(self, logits):
        self.source.send_nowait(*[dict(data=v, last=int(k == len(logits) - 1)) for k, v in enumerate(logits)])
        self.wanted.append(dict(token=int(np.argmax(logits))))  # numpy gives the first of equal maxima

    async def finish(self):
        """Compare everything; returns the number of tokens."""
        compared = await self.compare(4 * LATENCY)
        assert not self.source.queue
        return compared


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def extremes(dut):
    """Vectors of one, all equal, all at a limit, the maximum first, last and twice; a vector after a larger one."""
    bench = ArgmaxBench(dut)
    await bench.start()
    for length in (1, 2, 3, CFG.max_vocab):
        for value in (LOW, -1, 0, HIGH):
            bench.send([value] * length)
        for low, high in [(LOW, HIGH), (LOW, LOW + 1), (-1, 0), (HIGH - 1, HIGH)]:
            for places in ([0], [length - 1], [length // 2, length - 1]):
                bench.send([high if k in places else low for k in range(length)])
    assert await bench.finish() == 4 * (4 + 4 * 3)
    assert {w["token"] for w in bench.wanted} >= {0, 1, 2, CFG.max_vocab // 2, CFG.max_vocab - 1}


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def random_traffic(dut):
    rng = random.Random(3)
    bench = ArgmaxBench(dut, rng)
    await bench.start()
    for pauses in TRAFFIC:
        bench.pause(*pauses)
        for _ in range(40):
            span = rng.choice([0, 0, 29, 30])  # few distinct values give ties
            bench.send([rng.randint(LOW, HIGH) >> span for _ in range(rng.randint(1, 30))])
        await bench.sink.wait(len(bench.wanted))
    assert await bench.finish() == 4 * 40


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    """A logit a cycle, the token LATENCY cycles after the last; then the next vector."""
    bench = ArgmaxBench(dut)
    await bench.start()
    for _ in range(2):
        bench.send(list(range(50)))
    seen = await moments(dut, "m", 2, moved=("s",), offered=("m",))
    entered, left = seen["s"], seen["m"]
    for first in (0, 50):
        assert entered[first:first + 50] == list(range(entered[first], entered[first] + 50))
    assert left == [entered[49] + LATENCY, entered[99] + LATENCY]
    assert entered[50] == left[0] + 1
    assert await bench.finish() == 2


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """The golden answer of the reversed vector is not taken for right."""
    bench = ArgmaxBench(dut)
    await bench.start()
    bench.send([0, 1, 1])
    bench.wanted = [dict(token=2)]
    with pytest.raises(AssertionError):
        await bench.finish()
    assert list(bench.sink.queue) == [dict(token=1)]
