"""exp2 against golden.fixed.functions.exp2_neg, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.functions import exp2_neg
from llama2_myhdl.rtl.arith.exp2 import LATENCY, exp2, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import F_BITS, INTERP_BITS, TABLE_BITS
from tb.myhdl_sim import simulate
from tb.pipeline import apply

ONE = 1 << (INTERP_BITS + TABLE_BITS)  # u = 1.0


def vectors():
    """Both ends of every table interval, every integer, the clip of the shift, the largest u, and random ones."""
    rng = random.Random(4)
    steps = [(k << INTERP_BITS) + d for k in range(1 << TABLE_BITS) for d in (0, 1, (1 << INTERP_BITS) - 1)]
    whole = [max(0, n * ONE + d) for n in (*range(40), 1 << 11) for d in (-1, 0, 1)]
    extremes = [(1 << F_BITS) - 1, 1 << (F_BITS - 1), (1 << (F_BITS - 1)) - 1]
    small = [rng.randrange(20 * ONE) for _ in range(1500)]
    return [dict(u=u) for u in steps + whole + extremes + small + [rng.randrange(1 << F_BITS) for _ in range(300)]]


def wanted(vectors):
    return [dict(y=int(exp2_neg(v["u"]))) for v in vectors]


def test_exp2_myhdl():
    assert simulate(exp2, ports(), vectors(), ["y"], LATENCY) == wanted(vectors())


@pytest.mark.parametrize("sim", SIMULATORS)
def test_exp2(sim):
    run(exp2, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    found, golden = await apply(dut, vectors(), dict(y=False), LATENCY), wanted(vectors())
    assert found == golden
    assert len(found) == 2694
    assert found[1:] != golden[:-1]  # one cycle off is seen
