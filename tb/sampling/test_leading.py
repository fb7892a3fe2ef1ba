"""leading: every length of a total, its edges, and random ones, against Python's bit_length."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.sampling.leading import LATENCY, PLACES, leading, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.sampling import SUM_BITS, SUM_BITS_MIN
from tb.myhdl_sim import simulate
from tb.pipeline import apply


def vectors():
    rng, rows = random.Random(64), []
    for length in range(SUM_BITS_MIN, SUM_BITS + 1):
        one = 1 << length - 1
        rows += [one, one + 1, 2 * one - 1, *(one + rng.randrange(one) for _ in range(17))]
    rng.shuffle(rows)
    return [dict(total=total) for total in rows]


def wanted(rows):
    return [dict(whole=row["total"], zeros=SUM_BITS - row["total"].bit_length()) for row in rows]


def test_leading_myhdl():
    rows = vectors()
    assert simulate(leading, ports(), rows, ["whole", "zeros"], LATENCY) == wanted(rows)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_leading(sim):
    run(leading, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    rows = vectors()
    found, golden = await apply(dut, rows, dict(whole=False, zeros=False), LATENCY), wanted(rows)
    assert found == golden
    assert len(found) == 20 * PLACES and {row["zeros"] for row in golden} == set(range(PLACES))
    assert found[1:] != golden[:-1]  # one cycle off is seen
