"""round_shift against golden.fixed.arith, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.arith import Tally, saturate
from llama2_myhdl.golden.fixed.arith import round_shift as golden_round_shift
from llama2_myhdl.rtl.arith.round_shift import LATENCY, ports, round_shift
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from tb.myhdl_sim import simulate
from tb.pipeline import apply

WIDTHS = ((36, 6, 20), (51, 6, 32))  # of x, n and y


def stimulus(widths):
    """Every amount with the extremes, halves and values next to them, and random ones; (inputs, wanted)."""
    rng, (wide, _, narrow), inputs, wanted = random.Random(3), widths, [], []
    ends = [-(1 << wide - 1), (1 << wide - 1) - 1, 0, 1, -1]
    for n in range(64):
        half = 1 << min(max(n - 1, 0), wide - 2)
        xs = ends + [half - 1, half, -half, -half - 1] + [rng.randint(ends[0], ends[1]) >> rng.randrange(wide)
                                                          for _ in range(12)]
        for x in xs:
            stats = Tally()
            y = int(saturate(golden_round_shift(x, n), narrow, stats))
            inputs.append(dict(x=x, n=n))
            wanted.append(dict(y=y, clipped=stats.count))
    return inputs, wanted


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_round_shift(sim, widths):
    run(round_shift, ports(*widths), __name__, sim, parameters=dict(widths=widths), tests=1)


@pytest.mark.parametrize("widths", WIDTHS)
def test_round_shift_myhdl(widths):
    inputs, wanted = stimulus(widths)
    assert simulate(round_shift, ports(*widths), inputs, ["y", "clipped"], LATENCY) == wanted


def test_small_amount_is_refused():
    with pytest.raises(ValueError, match="more than 3 bits, has 3"):
        round_shift(**ports(36, 3, 20))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    inputs, wanted = stimulus(test_parameters()["widths"])
    found = await apply(dut, inputs, dict(y=True, clipped=False), LATENCY)
    assert found == wanted
    assert len(found) == 64 * 21
    assert found[1:] != wanted[:-1]  # one cycle off is seen
