"""log_total against the logarithm of golden.fixed.sampler: every length of a total, edges, back to back, reset."""
import random
from types import SimpleNamespace

import cocotb
import numpy as np
import pytest

from llama2_myhdl.golden.fixed.sampler import log_probability
from llama2_myhdl.rtl.sampling.log_total import LATENCY, log_total, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import F_FRAC
from llama2_myhdl.spec.sampling import COST_FRAC, LN2, LOG_BITS, SUM_BITS, SUM_BITS_MIN, WEIGHT_FRAC
from tb.golden.sampler_oracle import logarithm
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.sampling.script import Script

OUTPUTS = dict(y=True, done=False)
FAR = 1000  # levels above the reference, so that no probability is cut off at 1
COMPARED = 22399


def ln(total):
    """Of the golden model and of the oracle: what is missing to the logarithm of a weight of 1."""
    everything = SimpleNamespace(total=[total], block=[0])
    found = [log_probability(FAR << COST_FRAC, everything), logarithm(FAR << COST_FRAC, total, 0)]
    assert found[0] == found[1]
    return -found[0] - FAR * LN2


def totals(rng):
    """Powers of two and their neighbours, mantissas of edges, random ones."""
    for length in range(SUM_BITS_MIN, SUM_BITS + 1):
        one = 1 << length - 1
        step = 1 << length - LOG_BITS
        yield from (one, one + 1, one + step - 1, one + step, 2 * one - step, 2 * one - 1, one + one // 2)
        yield from (one + rng.randrange(one) for _ in range(7))


def script():
    """The total stands there only in the cycle in which it is taken; the next start comes with `done` or later."""
    rng, made, y = random.Random(25), Script(), None

    def step(cycles, start=0, rst=0, total=None):
        for _ in range(cycles):
            given = rng.randrange(1 << SUM_BITS_MIN - 1, 1 << SUM_BITS) if total is None else total
            made.cycle(rst=rst, start=start, whole=given, zeros=SUM_BITS - given.bit_length())

    step(1, rst=1)
    for total in totals(rng):
        begin = made.now
        if not rng.randrange(20):  # one that a reset ends
            step(1, start=1)
            step(rng.randrange(1, LATENCY))
            step(1, rst=1)
            y = None
        idle = rng.choice([0, 0, 1, 7])
        step(idle)
        start = made.now
        step(1, start=1, total=total)
        step(LATENCY - 1)
        done = start + LATENCY
        for cycle in range(begin + 1, done):
            made.expect(cycle, done=0)
        for cycle in range(begin + 1, start + 1):
            if y is not None:
                made.expect(cycle, y=y)
        y = ln(total)
        made.expect(done, done=1, y=y)
    step(1)
    return made


def test_logarithms():
    """Signs and ends of what is wanted; close to the real ones."""
    rng = random.Random(1)
    assert ln(1 << WEIGHT_FRAC) == ln(2 << WEIGHT_FRAC) - LN2
    assert abs(ln(1 << SUM_BITS_MIN - 1) + 16 * LN2) < 30 and abs(ln((1 << SUM_BITS) - 1) - 18 * LN2) < 40
    for total in totals(rng):
        assert abs(ln(total) / 2**F_FRAC - np.log(total / 2**WEIGHT_FRAC)) < 40 / 2**F_FRAC


def test_log_total_myhdl():
    made = script()
    assert made.compare(simulate(log_total, ports(), made.inputs, OUTPUTS, 0)) == COMPARED


@pytest.mark.parametrize("sim", SIMULATORS)
def test_log_total(sim):
    run(log_total, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_cycles(dut):
    made = script()
    found = await apply(dut, made.inputs, OUTPUTS, 0)
    assert made.compare(found) == COMPARED
    with pytest.raises(AssertionError):
        made.compare(found[1:])  # one cycle off is seen
