"""rsqrt against golden.fixed.functions.rsqrt, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.functions import rsqrt as golden_rsqrt
from llama2_myhdl.rtl.norm.rsqrt import LATENCY, ports, rsqrt
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import UNIT
from tb.myhdl_sim import simulate
from tb.pipeline import apply

ONE = UNIT // 2  # 1.0 in 2.15


def values():
    """Both ends of every table interval of [1, 2) and [2, 4), 0 (a vector of zeros without epsilon), random ones."""
    rng = random.Random(6)
    low = [ONE + k * 256 + d for k in range(128) for d in (0, 255)]
    high = [2 * ONE + k * 512 + d for k in range(128) for d in (0, 511)]
    return [0] + low + high + [rng.randrange(ONE, 4 * ONE) for _ in range(400)]


def vectors():
    """Each value is held for LATENCY cycles."""
    return [dict(m=m) for m in values() for _ in range(LATENCY)]


def wanted():
    return [int(golden_rsqrt(m)) for m in values()]


def test_rsqrt_myhdl():
    rows = simulate(rsqrt, ports(), vectors(), ["y"], LATENCY)
    assert [row["y"] for row in rows[::LATENCY]] == wanted()


@pytest.mark.parametrize("sim", SIMULATORS)
def test_rsqrt(sim):
    run(rsqrt, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_values(dut):
    rows = await apply(dut, vectors(), dict(y=False), LATENCY)
    found = [row["y"] for row in rows[::LATENCY]]
    assert found == wanted()
    assert len(found) == 1 + 2 * 256 + 400
    early = [row["y"] for row in rows[LATENCY - 1::LATENCY]]
    assert sum(a != b for a, b in zip(early, wanted()[1:])) > 600  # one cycle off is seen
