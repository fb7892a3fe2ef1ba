"""pair_queue: in order whatever waits, a pair a cycle, LATENCY cycles when nothing does; a pair too many is seen."""
import random
from collections import deque

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.attention.pair_queue import LATENCY, pair_queue, ports
from llama2_myhdl.rtl.stream.stream import Stream, uint
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink

BITS = 20
PAIR = dict(data=BITS, last=1)


def arguments(depth):
    return ports(Stream(**{name: uint(bits) for name, bits in PAIR.items()}), depth)


@pytest.mark.parametrize("depth", (5, 64))
@pytest.mark.parametrize("sim", SIMULATORS)
def test_pair_queue(sim, depth):
    run(pair_queue, arguments(depth), __name__, sim, parameters=dict(depth=depth), testcase="bursts", tests=1)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_a_pair_too_many(sim):
    with pytest.raises(AssertionError, match="a pair enters a full queue"):
        run(pair_queue, arguments(5), __name__, sim, testcase="too_many")


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def bursts(dut):
    """Random pauses on both sides: the oldest pair is shown from LATENCY cycles after its push on, always."""
    depth, rng = test_parameters()["depth"], random.Random(6)
    dut.push.value = 0
    sink = StreamSink(dut, "m", **PAIR)
    await start(dut)
    sent, compared, cycle, most = deque(), 0, 0, 0
    for phase in range(64):
        sink.pause(rng, (0, 0.95, 0.4)[phase % 3])
        density = (0.3, 1, 0.6)[phase // 3 % 3]
        for _ in range(40):
            cycle += 1
            push = len(sent) < depth and rng.random() < density
            dut.push.value = int(push)
            if push:
                pair = dict(data=rng.getrandbits(BITS), last=rng.randrange(2))
                dut.pair_data.value, dut.pair_last.value = pair["data"], pair["last"]
                sent.append((cycle, pair))
                most = max(most, len(sent))
            await RisingEdge(dut.clk)
            due = bool(sent) and cycle - sent[0][0] >= LATENCY
            assert int(dut.m_valid.value) == due
            if due and int(dut.m_ready.value):
                assert dict(data=int(dut.m_data.value), last=int(dut.m_last.value)) == sent.popleft()[1]
                compared += 1
    assert 900 < compared <= sink.received
    assert most == depth


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def too_many(dut):
    dut.push.value, dut.m_ready.value = 0, 0
    await start(dut)
    dut.push.value = 1
    await ClockCycles(dut.clk, 40)
