"""adder_tree against a plain sum, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.arith.adder_tree import adder_tree, latency, ports
from llama2_myhdl.rtl.stream.stream import sint
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from tb.lanes import packed, row
from tb.myhdl_sim import simulate
from tb.pipeline import apply, with_pauses

BITS = 9
COUNTS = (2, 3, 4, 5, 6, 11, 16, 21)


def stimulus(n):
    rng = random.Random(n)
    rows = [row(rng, kind, n, BITS) for kind in ["max", "min", "zero"] + 200 * ["random"]]
    return with_pauses(rng, [dict(terms=packed(r, BITS)) for r in rows], [dict(total=sum(r)) for r in rows])


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_adder_tree(sim, n):
    run(adder_tree, ports(n, BITS), __name__, sim, parameters=dict(n=n), tests=1)


@pytest.mark.parametrize("n", COUNTS)
def test_adder_tree_myhdl(n):
    inputs, wanted = stimulus(n)
    assert simulate(adder_tree, ports(n, BITS), inputs, ["total"], latency(n)) == wanted


def test_stages():
    assert [latency(n) for n in (2, 4, 5, 16, 17, 64)] == [1, 1, 2, 2, 3, 3]


def test_widths_that_do_not_fit():
    with pytest.raises(ValueError, match="do not fit N = 4"):
        adder_tree(**dict(ports(4, BITS), total=sint(BITS)))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    n = test_parameters()["n"]
    inputs, wanted = stimulus(n)
    found = await apply(dut, inputs, dict(total=True), latency(n))
    assert found == wanted
    assert sum(one["enable"] for one in inputs) > 100 < len(found) == 203
    assert found[1:] != wanted[:-1]  # one cycle off is seen
