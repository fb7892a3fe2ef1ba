"""rotate against golden.fixed.rope.rope, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

import llama2_myhdl.golden.fixed.rope as golden
from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.golden.fixed.functions import cosine, sine
from llama2_myhdl.rtl.rope.rotate import LATENCY, ports, rotate
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import F_BITS
from tb.myhdl_sim import simulate
from tb.pipeline import apply

OUTPUTS = dict(y=True, clipped=False)
LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1


def pairs():
    """(a, b, cos, sin): extremes of both elements at the quadrants' edges and between them, then random pairs."""
    rng = random.Random(7)
    edges = [LOW, LOW + 1, -1, 0, 1, HIGH]
    phases = [q << 30 for q in range(4)] + [q << 30 | 1 << 29 for q in range(4)]
    rows = [(a, b, p) for a in edges for b in edges for p in phases]
    rows += [(rng.randrange(LOW, HIGH + 1) >> rng.randrange(24), rng.randrange(LOW, HIGH + 1) >> rng.randrange(24),
              rng.randrange(1 << 32)) for _ in range(600)]
    return [(a, b, int(cosine(p)), int(sine(p))) for a, b, p in rows]


def vectors():
    return [dict(a=a, b=b, a_factor=sin if second else cos, b_factor=cos if second else sin, second=second)
            for a, b, cos, sin in pairs() for second in (0, 1)]


def wanted():
    rows = []
    for a, b, cos, sin in pairs():
        stats = Tally()
        turned = golden.rope([a, b], [cos], [sin], stats).tolist()
        exact = a * cos - b * sin, a * sin + b * cos
        rows += [dict(y=y, clipped=int(y != value + (1 << 15) >> 16)) for y, value in zip(turned, exact)]
        assert rows[-1]["clipped"] + rows[-2]["clipped"] == stats.count
    return rows


def test_rotate_myhdl():
    assert simulate(rotate, ports(), vectors(), list(OUTPUTS), LATENCY) == wanted()


@pytest.mark.parametrize("sim", SIMULATORS)
def test_rotate(sim):
    run(rotate, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    found, golden_rows = await apply(dut, vectors(), OUTPUTS, LATENCY), wanted()
    assert found == golden_rows
    assert len(found) == 2 * (6 * 6 * 8 + 600)
    assert sum(row["clipped"] for row in found) > 50
    assert found[1:] != golden_rows[:-1]  # one cycle off is seen
