"""Value rows are cut into heads, whatever `last` said before."""

import random
from dataclasses import replace

import cocotb
import pytest

from llama2_myhdl.rtl.layer.head_ends import head_ends, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.presets import preset

BUILD = replace(preset("nano").build, max_head_dim=16)
VECTOR = dict(data=-BUILD.f_bits, last=1)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_head_ends(sim):
    run(head_ends, ports(BUILD), __name__, sim, tests=3)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(size=[2, 7, 16])
async def whole_heads(dut, size):
    """Three matrices of four heads with pauses on both sides."""
    rng = random.Random(size)
    source, sink = StreamSource(dut, "s", **VECTOR), StreamSink(dut, "m", **VECTOR)
    source.pause(rng, 0.3)
    sink.pause(rng, 0.3)
    dut.head_dim.value = size
    await start(dut)
    count = 12 * size
    rows = [rng.randrange(-(1 << 31), 1 << 31) for _ in range(count)]
    await source.send(*[dict(data=row, last=int(k % (4 * size) == 4 * size - 1)) for k, row in enumerate(rows)])
    await sink.wait(count)
    assert [beat["data"] for beat in sink.queue] == rows
    assert [k for k, beat in enumerate(sink.queue) if beat["last"]] == list(range(size - 1, count, size))
