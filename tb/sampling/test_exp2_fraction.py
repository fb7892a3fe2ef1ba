"""exp2_fraction against golden.fixed.functions.exp2_neg, for every fraction; in MyHDL's simulation at the ends of every
interval of the table and at random."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.functions import exp2_neg
from llama2_myhdl.rtl.sampling.exp2_fraction import LATENCY, exp2_fraction, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import F_FRAC, TABLE_BITS
from llama2_myhdl.spec.sampling import COST_FRAC
from tb.myhdl_sim import simulate
from tb.pipeline import apply

ALL = 1 << COST_FRAC
STEP = ALL >> TABLE_BITS


def wanted(fractions):
    return [dict(y=y) for y in exp2_neg([f << F_FRAC - COST_FRAC for f in fractions]).tolist()]


def test_exp2_fraction_myhdl():
    rng = random.Random(6)
    fractions = [k + d for k in range(0, ALL, STEP) for d in (0, 1, STEP // 2, STEP - 1)]
    fractions += [rng.randrange(ALL) for _ in range(3000)]
    found = simulate(exp2_fraction, ports(), [dict(f=f) for f in fractions], ["y"], LATENCY)
    assert found == wanted(fractions)
    assert len(found) == 4024


@pytest.mark.parametrize("sim", SIMULATORS)
def test_exp2_fraction(sim):
    run(exp2_fraction, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_fraction(dut):
    """In a random order, so that a neighbour's value is not taken for right."""
    fractions = random.Random(7).sample(range(ALL), ALL)
    found, golden = await apply(dut, [dict(f=f) for f in fractions], dict(y=False), LATENCY), wanted(fractions)
    assert found == golden
    assert len(found) == ALL
    assert found[1:] != golden[:-1]  # one cycle off is seen
