"""query_queue: passes in order with all their rows, and a row too many ends the simulation."""
import random
from collections import deque

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.attention.query_queue import LATENCY, ROW_LATENCY, ports, query_queue
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters

ROW, EXPONENT, BASE = 24, 5, 6
PASSES = 5  # in memories of 8
COUNT = 300


def arguments(queries):
    return ports(queries, ROW, EXPONENT, BASE, PASSES)


@pytest.mark.parametrize("queries", (1, 3))
@pytest.mark.parametrize("sim", SIMULATORS)
def test_query_queue(sim, queries):
    parameters = dict(queries=queries)
    run(query_queue, arguments(queries), __name__, sim, parameters=parameters, testcase="rows_and_passes", tests=1)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_a_row_too_many(sim):
    with pytest.raises(AssertionError, match="a query row enters a full queue"):
        run(query_queue, arguments(1), __name__, sim, parameters=dict(queries=1), testcase="too_many")


def drive(dut, **pins):
    for name, value in pins.items():
        getattr(dut, name).value = value


async def reset(dut):
    drive(dut, push=0, lane=0, ends=0, row=0, exponent=0, base=0, lanes=0, last=0, m_ready=0, read=0)
    await start(dut)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def rows_and_passes(dut):
    """Random passes at random times; each is read once, in the cycle in which it is taken."""
    queries, rng = test_parameters()["queries"], random.Random(3)
    await reset(dut)
    rows, passes, due, pending = deque(), deque(), deque(), []
    compared = cycle = inside = 0
    while compared < COUNT:
        cycle += 1
        if not pending and inside < PASSES:
            pending = list(range(rng.randint(1, queries)))
            entry = dict(base=rng.randrange(1 << BASE), lanes=(1 << len(pending)) - 1, last=rng.randrange(2))
            content = [(rng.randrange(1 << ROW), rng.randrange(1 << EXPONENT)) for _ in pending]
            inside += 1
        push = bool(pending) and (cycle < 40 or rng.random() < 0.7)
        take = bool(passes) and passes[0][0] <= cycle and (cycle < 40 or rng.random() < 0.4)
        if push:
            g = pending.pop(0)
            drive(dut, lane=1 << g, row=content[g][0], exponent=content[g][1], ends=int(not pending), **entry)
            if not pending:
                rows.append(content)
                passes.append((cycle + LATENCY, entry))
        drive(dut, push=int(push), m_ready=int(take), read=int(take))
        await RisingEdge(dut.clk)
        shown = bool(passes) and passes[0][0] <= cycle
        assert int(dut.m_valid.value) == shown, cycle
        if due and due[0][0] == cycle:
            _, content_due = due.popleft()
            for g, (row, exponent) in enumerate(content_due):
                assert (field(dut.q, g, ROW), field(dut.qe, g, EXPONENT)) == (row, exponent)
            compared += 1
        if take:
            _, entry_taken = passes.popleft()
            assert {name: int(getattr(dut, f"m_{name}").value) for name in entry_taken} == entry_taken
            due.append((cycle + ROW_LATENCY, rows.popleft()))
            inside -= 1
    assert compared == COUNT


def field(pin, g, bits):
    """Field g of a bus whose other fields may be unknown."""
    text = str(pin.value)
    return int(text[len(text) - (g + 1) * bits:len(text) - g * bits], 2)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def too_many(dut):
    await reset(dut)
    drive(dut, push=1, lane=1, lanes=1, ends=1)
    await ClockCycles(dut.clk, 20)
