"""ring against a queue of places: every size, from empty to full and round the end."""
import random
from collections import deque

import cocotb
import pytest

from llama2_myhdl.rtl.memory.ring import ports, ring
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from tb.myhdl_sim import simulate
from tb.pipeline import apply

DEPTHS = (1, 2, 5, 8)
CYCLES = 600
OUTPUTS = ("write", "read", "count", "some")


def traffic(depth):
    """Vectors and the outputs in the cycle after each; phases that fill, drain and balance."""
    rng, held, free = random.Random(depth), deque(), deque(range(depth))
    rows, wanted = [], []
    for cycle in range(CYCLES):
        rst, phase = int(cycle == 0 or cycle == CYCLES // 2), cycle // 50 % 3
        idle = rst or cycle == CYCLES - 1  # the last vector stays while the outputs drain
        push = int(not idle and len(held) < depth and rng.random() < (0.9, 0.2, 0.7)[phase])
        pop = int(not idle and len(held) > 0 and rng.random() < (0.2, 0.9, 0.7)[phase])
        if rst:
            held, free = deque(), deque(range(depth))
        if pop:
            free.append(held.popleft())
        if push:
            held.append(free.popleft())
        rows.append(dict(rst=rst, push=push, pop=pop))
        order = [*held, *free]  # the places in turn, from the one to be read
        wanted.append(dict(read=order[0], write=order[len(held) % depth], count=len(held), some=int(bool(held))))
    return rows, wanted


def compare(found, depth):
    wanted = traffic(depth)[1]
    assert [{name: row[name] for name in OUTPUTS} for row in found] == wanted
    assert {row["count"] for row in wanted} == set(range(depth + 1))


@pytest.mark.parametrize("depth", DEPTHS)
def test_ring_myhdl(depth):
    compare(simulate(ring, ports(depth), traffic(depth)[0], OUTPUTS, latency=1), depth)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_ring(sim, depth):
    run(ring, ports(depth), __name__, sim, parameters=dict(depth=depth), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def fills_and_drains(dut):
    depth = test_parameters()["depth"]
    found = await apply(dut, traffic(depth)[0], dict.fromkeys(OUTPUTS, False), latency=1)
    compare(found, depth)
    with pytest.raises(AssertionError):
        compare(found[1:], depth)
