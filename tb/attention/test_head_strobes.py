"""head_strobes: each lane of a pass that ends, so many cycles later, whatever else is under way; a reset forgets it."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.attention.head_strobes import head_strobes, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from tb.myhdl_sim import simulate
from tb.pipeline import apply

LANES, VECTORS = 2, 300
CYCLES = (3, 7)


def traffic(cycles):
    """Vectors, and the strobes `cycles` cycles after each: none that a reset meets on its way."""
    rng = random.Random(cycles)
    rows = [dict(rst=1, ends=0, lanes=0)] * cycles
    rows += [dict(rst=int(rng.random() < 0.05), ends=rng.randrange(2), lanes=rng.randrange(1 << LANES))
             for _ in range(VECTORS)]
    rows += [dict(rst=0, ends=0, lanes=0)] * cycles
    wanted = [row["lanes"] if row["ends"] and not any(later["rst"] for later in rows[t:t + cycles]) else 0
              for t, row in enumerate(rows)]
    return rows, wanted


def compare(found, cycles):
    wanted = traffic(cycles)[1]
    assert [row["load"] for row in found] == wanted
    assert set(wanted) == set(range(1 << LANES))


@pytest.mark.parametrize("cycles", CYCLES)
def test_head_strobes_myhdl(cycles):
    compare(simulate(head_strobes, ports(LANES, cycles), traffic(cycles)[0], ["load"], cycles), cycles)


@pytest.mark.parametrize("cycles", CYCLES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_head_strobes(sim, cycles):
    run(head_strobes, ports(LANES, cycles), __name__, sim, parameters=dict(cycles=cycles), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def strobes(dut):
    cycles = test_parameters()["cycles"]
    found = await apply(dut, traffic(cycles)[0], dict(load=False), cycles)
    compare(found, cycles)
    with pytest.raises(AssertionError):
        compare(found[1:], cycles)
