"""score against golden.fixed.attention.scores, in Verilog and in MyHDL's simulation."""
import random
from dataclasses import replace

import cocotb
import pytest

from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.golden.fixed.attention import scores
from llama2_myhdl.rtl.attention.score import latency, ports, score
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.presets import PRESETS
from tb.lanes import packed, row
from tb.myhdl_sim import simulate
from tb.pipeline import apply

ROWS = 536
BUILDS = ((4, 16), (12, 16), (16, 16), (8, 8))  # lanes, bits


def build(lanes, bits):
    return replace(PRESETS["default"].build, max_head_dim=lanes, act_bits=bits, key_bits=bits)


def vectors(lanes, bits):
    """ROWS rows, of all maxima and minima with every exponent, and random ones; returns (inputs, wanted outputs)."""
    rng, most = random.Random(lanes), build(lanes, bits).f_bits - bits  # exponents
    inputs, wanted = [], []
    ends = ("max", "min")
    cases = [(a, b, qe, ke) for a in ends for b in ends for qe in (0, 7, most) for ke in (0, 9, most)]
    cases += [("random", "random", rng.randrange(most + 1), rng.randrange(most + 1)) for _ in range(400)]
    cases += [("small", "random", rng.randrange(most + 1), rng.randrange(most + 1)) for _ in range(100)]
    for a, b, qe, ke in cases:
        q, k = row(rng, a, lanes, bits), row(rng, b, lanes, bits)
        stats = Tally()
        s = int(scores(q, qe, [k], [ke], stats)[0])
        if rng.random() < 0.3:  # rows that count for nothing stand between, of any exponents
            other = packed(row(rng, "random", lanes, bits), bits)
            inputs.append(dict(valid=0, q=other, qe=rng.randrange(32), k=other, ke=rng.randrange(32)))
            wanted.append(None)
        elif inputs and rng.random() < 0.3:  # with the exponents of the row before: its products stay
            other = packed(row(rng, "random", lanes, bits), bits)
            inputs.append(dict(inputs[-1], valid=0, q=other, k=other))
            wanted.append(wanted[-1])
        inputs.append(dict(valid=1, q=packed(q, bits), qe=qe, k=packed(k, bits), ke=ke))
        wanted.append(dict(s=s, clipped=stats.count))
    assert 0 < sum(w["clipped"] for w in wanted if w) < len(cases)
    assert sum(w is not None for w in wanted) > len(cases) == ROWS
    return inputs, wanted


def compared(found, wanted):
    """Scores that are right; AssertionError at the first that is not."""
    count = 0
    for n, (score_found, score_wanted) in enumerate(zip(found, wanted)):
        if score_wanted is not None:
            assert score_found == score_wanted, n
            count += 1
    return count


@pytest.mark.parametrize("lanes, bits", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_score(sim, lanes, bits):
    run(score, ports(build(lanes, bits)), __name__, sim, parameters=dict(lanes=lanes, bits=bits), tests=1)


@pytest.mark.parametrize("lanes, bits", BUILDS)
def test_score_myhdl(lanes, bits):
    inputs, wanted = vectors(lanes, bits)
    found = simulate(score, ports(build(lanes, bits)), inputs, ["s", "clipped"], latency(build(lanes, bits)))
    assert compared(found, wanted) == sum(score is not None for score in wanted)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    shape = test_parameters()
    inputs, wanted = vectors(**shape)
    found = await apply(dut, inputs, {"s": True, "clipped": False}, latency(build(**shape)))
    assert compared(found, wanted) == sum(score is not None for score in wanted)
    with pytest.raises(AssertionError):  # one cycle off is seen
        compared(found[1:], wanted)
