"""orders: requests are answered in their order; one too many, and an answer that nobody asked for, are seen."""

import random
from collections import deque

import cocotb
import pytest
from cocotb.triggers import FallingEdge

from llama2_myhdl.rtl.decode.orders import LATENCY, in_flight, orders, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.presets import build_of

BUILD = build_of("nano")
DEPTH = in_flight(BUILD)
TOO_MANY = "orders: more requests under way than there is room for"
NOT_ASKED = "orders: an answer without a request"


@pytest.mark.parametrize("sim", SIMULATORS)
def test_orders(sim):
    run(orders, ports(BUILD), __name__, sim, testcase=["in_order", "full"], tests=2)


@pytest.mark.parametrize("sim", SIMULATORS)
@pytest.mark.parametrize("testcase, message", [("one_too_many", TOO_MANY), ("not_asked", NOT_ASKED)])
def test_misuse_is_seen(sim, testcase, message):
    with pytest.raises(AssertionError, match=message):
        run(orders, ports(BUILD), __name__, sim, testcase=testcase)


async def prepare(dut):
    for pin in ("write", "write_seq", "push", "pop", "seq", "given", "target"):
        getattr(dut, pin).value = 0
    await start(dut)
    await FallingEdge(dut.clk)


async def cycle(dut, **pins):
    """A cycle with these strobes and fields, the others low."""
    for pin in ("push", "pop", "given", "target"):
        getattr(dut, pin).value = pins.get(pin, 0)
    await FallingEdge(dut.clk)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def in_order(dut):
    """What m shows is the oldest request's, LATENCY cycles after the answer before it."""
    rng, asked, quiet, compared = random.Random(3), deque(), 0, 0
    await prepare(dut)
    while compared < 300:
        pins = {}
        if quiet > LATENCY and asked and rng.random() < 0.5:
            assert (int(dut.m_given.value), int(dut.m_target.value)) == asked.popleft()
            pins, quiet, compared = dict(pop=1), 0, compared + 1
        if len(asked) < DEPTH - 1 and rng.random() < 0.5:
            asked.append((rng.randrange(2), rng.randrange(1 << BUILD.token_bits)))
            pins |= dict(push=1, given=asked[-1][0], target=asked[-1][1])
            quiet = quiet if len(asked) > 1 else 0
        await cycle(dut, **pins)
        quiet += 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def full(dut):
    """DEPTH requests and as many answers are fine."""
    await prepare(dut)
    for _ in range(DEPTH):
        await cycle(dut, push=1)
    for _ in range(LATENCY):
        await cycle(dut)
    for _ in range(DEPTH):
        await cycle(dut, pop=1)
    await cycle(dut)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def one_too_many(dut):
    """More requests than a queue of DEPTH can ever hold."""
    await prepare(dut)
    for _ in range(2 * DEPTH + 4):
        await cycle(dut, push=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def not_asked(dut):
    await prepare(dut)
    await cycle(dut, pop=1)
    await cycle(dut)
