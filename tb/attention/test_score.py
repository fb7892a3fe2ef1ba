"""score against golden.fixed.attention.scores, in Verilog and in MyHDL's simulation."""
import random
from dataclasses import replace

import cocotb
import pytest

from golden.fixed.arith import Saturations
from golden.fixed.attention import scores
from rtl.attention.score import latency, score
from rtl.presets import PRESETS
from rtl.stream.stream import bit, sint, uint
from tb.attention.rows import packed, row
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.runner import SIMULATORS, run, test_parameters

LANE_COUNTS = (4, 12, 16)
BITS = 16


def build(lanes):
    return replace(PRESETS["default"].build, max_head_dim=lanes)


def arguments(lanes):
    return dict(clk=bit(), q=uint(lanes * BITS), qe=uint(5), k=uint(lanes * BITS), ke=uint(5), s=sint(20),
                clipped=bit(), CFG=build(lanes))


def vectors(lanes):
    """Rows of all maxima and minima with every exponent, and random rows; returns (inputs, wanted outputs)."""
    rng = random.Random(lanes)
    inputs, wanted = [], []
    cases = [(a, b, qe, ke) for a in ("max", "min") for b in ("max", "min") for qe in (0, 7, 16) for ke in (0, 9, 16)]
    cases += [("random", "random", rng.randrange(17), rng.randrange(17)) for _ in range(400)]
    cases += [("small", "random", rng.randrange(17), rng.randrange(17)) for _ in range(100)]
    cases += [("random", "random", 31, 31)]
    for a, b, qe, ke in cases:
        q, k = row(rng, a, lanes, BITS), row(rng, b, lanes, BITS)
        stats = Saturations()
        s = int(scores(q, qe, [k], [ke], stats)[0])
        inputs.append(dict(q=packed(q, BITS), qe=qe, k=packed(k, BITS), ke=ke))
        wanted.append(dict(s=s, clipped=stats.count))
    assert 0 < sum(w["clipped"] for w in wanted) < len(cases)
    return inputs, wanted


@pytest.mark.parametrize("lanes", LANE_COUNTS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_score(sim, lanes):
    run(score, arguments(lanes), __name__, sim, parameters=dict(lanes=lanes), tests=1)


@pytest.mark.parametrize("lanes", LANE_COUNTS)
def test_score_myhdl(lanes):
    inputs, wanted = vectors(lanes)
    assert simulate(score, arguments(lanes), inputs, ["s", "clipped"], latency(build(lanes))) == wanted


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    lanes = test_parameters()["lanes"]
    inputs, wanted = vectors(lanes)
    found = await apply(dut, inputs, {"s": True, "clipped": False}, latency(build(lanes)))
    assert found == wanted
    assert len(found) == 537
    assert found[1:] != wanted[:-1]  # one cycle off is seen
