"""ln_probability against golden.fixed.sampler.log_probability: costs from the reference to far above it, any total."""
import random
from types import SimpleNamespace

import cocotb
import pytest

from llama2_myhdl.golden.fixed.sampler import log_probability
from llama2_myhdl.rtl.sampling.ln_probability import HEIGHT_BITS, LATENCY, LOG_LATENCY, ln_probability, ports
from llama2_myhdl.rtl.sampling.mass import REFERENCE_BITS
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import F_MIN
from llama2_myhdl.spec.sampling import BLOCK_BITS, COST_BITS, COST_FRAC, LN2, SUM_BITS, SUM_BITS_MIN
from tb.golden.sampler_oracle import logarithm
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.sampling.test_log_total import ln

BLOCK = BLOCK_BITS + COST_FRAC
LOW, HIGH = -(1 << COST_BITS - 1), (1 << COST_BITS - 1) - 1
LEAD = LATENCY - LOG_LATENCY  # cycles from a cost to the logarithm that belongs to it
BLOCKS = 1 << REFERENCE_BITS - 1


def cases():
    """(cost, reference, total); of heights at which the result is cut off too."""
    rng, found = random.Random(28), []
    totals = [1 << SUM_BITS_MIN - 1, (1 << SUM_BITS) - 1, 1 << 44, (1 << 45) - 1]
    most = 1 << HEIGHT_BITS
    for total in totals:
        last = ((-F_MIN - ln(total)) << COST_FRAC) // LN2  # from about this height on it is F_MIN
        heights = [0, 1, 65535, 65536, most - 1, most, most + 1, *range(last - 3, last + 4), (1 << COST_BITS) - 1]
        for height in heights:
            reference = max(-BLOCKS, min(BLOCKS - 1, rng.choice([0, -BLOCKS, BLOCKS, rng.randrange(-BLOCKS, BLOCKS)])))
            reference = min(reference, HIGH - height >> BLOCK)
            found.append(((reference << BLOCK) + height, reference, total))
    for _ in range(2000):
        reference, total = rng.randrange(-BLOCKS, BLOCKS), rng.getrandbits(SUM_BITS) >> rng.randrange(SUM_BITS)
        height = rng.getrandbits(COST_BITS) >> rng.choice([rng.randrange(COST_BITS), 8, 14, 16])
        found.append((min((reference << BLOCK) + height, HIGH), reference, max(total, 1 << SUM_BITS_MIN - 1)))
    rng.shuffle(found)
    return found


def vectors():
    """The logarithm comes LOG_LATENCY cycles ahead of the result, when its cost has left."""
    logs = [0] * LEAD + [ln(total) for _, _, total in cases()]
    costs = cases() + cases()[-1:] * LEAD
    return [dict(u=u, origin=reference, log=log) for (u, reference, _), log in zip(costs, logs, strict=True)]


def wanted():
    found = []
    for u, reference, total in cases():
        y = log_probability(u, SimpleNamespace(total=[total], block=[reference]))
        assert y == logarithm(u, total, reference)
        found.append(dict(y=y))
    return found


def compare(found):
    """Results that agree; what comes behind the last one has no cost of its own."""
    golden = wanted()
    assert found[:len(golden)] == golden
    assert len(found) == len(golden) + LEAD
    return len(golden)


def test_cases():
    """Both limits are met, and not by all."""
    results = [row["y"] for row in wanted()]
    assert results.count(0) > 10 and results.count(F_MIN) > 200 and len(set(results)) > 1000
    assert {u for u, _, _ in cases()} >= {LOW, HIGH}
    assert any(F_MIN < y < F_MIN + 16 for y in results)  # close to the limit, and not cut off


def test_ln_probability_myhdl():
    assert compare(simulate(ln_probability, ports(), vectors(), ["y"], LATENCY)) == 2060


@pytest.mark.parametrize("sim", SIMULATORS)
def test_ln_probability(sim):
    run(ln_probability, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    found = await apply(dut, vectors(), dict(y=True), LATENCY)
    assert compare(found) == 2060
    with pytest.raises(AssertionError):
        compare(found[1:])  # one cycle off is seen
