"""split_product: the two partial products make the exact product, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.arith.split_product import LATENCY, LOW_BITS, ports, split_product
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.myhdl_sim import simulate
from tb.pipeline import apply

WIDTHS = [(32, 18), (32, 17), (18, 4)]
OUTPUTS = dict(high=True, low=True)


def ends(bits):
    return [-(1 << (bits - 1)), (1 << (bits - 1)) - 1, -1, 0, 1]


def vectors(x_bits, w_bits):
    rng = random.Random(19)
    rows = [(x, w) for x in (*ends(x_bits), (1 << LOW_BITS) - 1, 1 << LOW_BITS) for w in ends(w_bits)]
    rows += [tuple(rng.randrange(ends(bits)[0], ends(bits)[1] + 1) for bits in (x_bits, w_bits)) for _ in range(300)]
    return [dict(x=x, w=w) for x, w in rows]


def products(found):
    return [(row["high"] << LOW_BITS) + row["low"] for row in found]


def wanted(widths):
    return [v["x"] * v["w"] for v in vectors(*widths)]


@pytest.mark.parametrize("widths", WIDTHS)
def test_split_product_myhdl(widths):
    found = simulate(split_product, ports(*widths), vectors(*widths), list(OUTPUTS), LATENCY)
    assert products(found) == wanted(widths)


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_split_product(sim, widths):
    run(split_product, ports(*widths), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    widths = len(dut.x), len(dut.w)
    found = await apply(dut, vectors(*widths), OUTPUTS, LATENCY)
    assert products(found) == wanted(widths)
    assert len(found) == 335
    assert products(found)[1:] != wanted(widths)[:-1]  # one cycle off is seen
