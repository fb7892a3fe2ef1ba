"""accumulator against a running sum, in Verilog and in MyHDL's simulation."""

import random

import cocotb
import pytest

from llama2_myhdl.rtl.matvec.accumulator import accumulator, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.myhdl_sim import simulate
from tb.pipeline import apply

X_BITS, Y_BITS = 30, 32  # up to 4 beats a row
COUNT = 400


def traffic():
    """Rows of 1 to 4 beats with idle cycles, in which the sum is of no account (None)."""
    rng, total, given, expected = random.Random(3), 0, [], []
    low, high = -(1 << X_BITS - 1), (1 << X_BITS - 1) - 1
    while len(given) < COUNT:
        for beat in range(rng.randint(1, 4)):
            while given and rng.random() < 0.3:
                given.append(dict(enable=0, first=rng.randrange(2), x=rng.randint(low, high)))
                expected.append(None)
            x = rng.choice((low, high, rng.randint(low, high)))
            total = x if beat == 0 else total + x
            given.append(dict(enable=1, first=int(beat == 0), x=x))
            expected.append(dict(y=total))
    return given, expected


def compare(found, expected):
    """Number of sums compared."""
    pairs = [pair for pair in zip(found, expected, strict=True) if pair[1]]
    assert [a for a, _ in pairs] == [b for _, b in pairs]
    return len(pairs)


def test_accumulator_myhdl():
    given, expected = traffic()
    assert compare(simulate(accumulator, ports(X_BITS, Y_BITS), given, ["y"], 0), expected) > COUNT // 2


@pytest.mark.parametrize("sim", SIMULATORS)
def test_accumulator(sim):
    run(accumulator, ports(X_BITS, Y_BITS), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def running_sums(dut):
    given, expected = traffic()
    found = await apply(dut, given, dict(y=True), 0)
    assert compare(found, expected) > COUNT // 2
