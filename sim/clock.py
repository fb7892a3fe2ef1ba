"""Clock and reset of every cocotb test, and what its drivers and monitors do at each edge."""
from collections.abc import Callable

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, NullTrigger, RisingEdge

PERIOD_NS = 10
RESET_CYCLES = 3


def start_clock(dut):
    """Start `dut.clk` at PERIOD_NS; runs until the test ends."""
    Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start()


async def start(dut):
    """Start the clock and hold `dut.rst` high for RESET_CYCLES; returns at the first edge where it is low."""
    dut.rst.value = 1
    start_clock(dut)
    await NullTrigger()  # `_call` waits for the first edge before this test does, and so for every one
    await ClockCycles(dut.clk, RESET_CYCLES)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 1)


_at_edges = {}  # clock -> the task that waits for its edges, and what is called at each


def at_every_edge(clk, step: Callable[[], None]) -> None:
    """Call `step` at every rising edge from the next one on, until the test ends; what it raises fails the test.

    One task for all of a bench: cocotb takes longer to resume a task than a driver or a monitor takes at an edge. They
    come in the order in which they were given, and ahead of what awaits the edge behind `start`.
    """
    task, steps = _at_edges.get(clk, (None, None))
    if task is None or task.done():  # a test before this one had its own
        steps = []
        task = cocotb.start_soon(_call(clk, steps))
        _at_edges[clk] = task, steps
    steps.append(step)


async def _call(clk, steps: list[Callable[[], None]]) -> None:
    edge = RisingEdge(clk)
    while True:
        await edge
        for step in steps:
            step()
