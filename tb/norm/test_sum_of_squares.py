"""sum_of_squares against exact Python sums, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.norm.sum_of_squares import LATENCY, ports, sum_of_squares
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import EPS_FRAC, F_BITS
from llama2_myhdl.spec.presets import preset
from tb.myhdl_sim import simulate
from tb.pipeline import apply

CFG = preset("default").build
ELEMENTS = CFG.max_dim
FRAC = CFG.f_frac
LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1


def cases():
    """(vector with None for idle cycles, eps_term): constant extremes, single elements, random ones with gaps."""
    rng = random.Random(3)
    full = [([value] * ELEMENTS, eps) for value in (LOW, HIGH, -1, 0, 1) for eps in (0, (1 << EPS_FRAC) - 1)]
    single = [([value], 1) for value in (LOW, HIGH, LOW + 1, -0x10000, -0xFFFF, 0xFFFF, 0x10000, 0)]
    spread = []
    for _ in range(40):
        x = [rng.randrange(LOW, HIGH + 1) >> rng.randrange(F_BITS) for _ in range(rng.randrange(1, ELEMENTS + 1))]
        spread.append(([v for e in x for v in [None] * (rng.random() < 0.3) + [e]], rng.randrange(1 << EPS_FRAC)))
    return full + single + spread


def vectors():
    rows = []
    for x, eps in cases():
        first = next(k for k, v in enumerate(x) if v is not None)
        rows += [dict(x=LOW if v is None else v, take=int(v is not None), first=int(k <= first), eps_term=eps)
                 for k, v in enumerate(x)]
        rows += [dict(x=HIGH, take=0, first=1, eps_term=eps)] * LATENCY  # eps_term holds until the last is added
    return rows


def wanted():
    """The total beside the last cycle of each case."""
    return [(eps << (2 * FRAC - EPS_FRAC)) + sum(v * v for v in x if v is not None) for x, eps in cases()]


def ends():
    at, out = -1, []
    for x, _ in cases():
        at += len(x)
        out.append(at)
        at += LATENCY
    return out


def totals(rows):
    return [rows[k]["total"] for k in ends()]


def test_sum_of_squares_myhdl():
    # before the first vector `total` is 0 and holds
    assert totals(simulate(sum_of_squares, ports(CFG), vectors(), ["total"], LATENCY)) == wanted()


@pytest.mark.parametrize("sim", SIMULATORS)
def test_sum_of_squares(sim):
    run(sum_of_squares, ports(CFG), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    rows = await apply(dut, vectors(), dict(total=False), LATENCY)
    assert totals(rows) == wanted()
    assert len(wanted()) == 58
    early = [rows[k - 1]["total"] for k in ends()]
    assert sum(a != b for a, b in zip(early, wanted())) > 40  # one cycle off is seen
