"""gate against golden.fixed.swiglu: both products of a pair, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.arith import round_shift, saturate
from llama2_myhdl.rtl.ffn.gate import LATENCY, gate, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import EXP2_FRAC, F_BITS, F_FRAC, UNIT
from tb.myhdl_sim import simulate
from tb.pipeline import apply

OUTPUTS = dict(z=True, clipped=False)
LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1


def pairs():
    """Extremes of all three factors against each other, then random ones."""
    rng = random.Random(8)
    edges = [LOW, LOW + 1, -(1 << 16), -1, 0, 1, (1 << 16) - 1, HIGH]
    rows = [(h1, h3, sigma) for h1 in edges for h3 in edges for sigma in (0, 1, UNIT // 2, UNIT - 1, UNIT)]
    for _ in range(600):
        h1, h3 = (rng.randrange(LOW, HIGH + 1) >> rng.randrange(24) for _ in range(2))
        rows.append((h1, h3, rng.randrange(UNIT + 1)))
    return rows


def vectors():
    """Each pair for two cycles, now and then with a cycle of other values between pairs, and one at the end."""
    rng, rows = random.Random(9), []
    for h1, h3, sigma in pairs():
        rows += [dict(h1=h1, h3=h3, sigma=sigma, second=second) for second in (0, 1)]
        if rng.random() < 0.2:
            rows.append(dict(h1=rng.randrange(HIGH), h3=rng.randrange(HIGH), sigma=rng.randrange(UNIT), second=0))
    return rows + [dict(h1=0, h3=0, sigma=0, second=0)]


def wanted():
    rows = []
    for h1, h3, sigma in pairs():
        exact = int(round_shift(int(round_shift(h1 * sigma, EXP2_FRAC)) * h3, F_FRAC))
        z = int(saturate(exact, F_BITS))
        rows.append(dict(z=z, clipped=int(z != exact)))
    return rows


def of_pairs(rows):
    """What came out LATENCY cycles after each `second`."""
    return [row for row, vector in zip(rows, vectors()) if vector["second"]]


def test_gate_myhdl():
    assert of_pairs(simulate(gate, ports(), vectors(), list(OUTPUTS), LATENCY)) == wanted()


@pytest.mark.parametrize("sim", SIMULATORS)
def test_gate(sim):
    run(gate, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    found = await apply(dut, vectors(), OUTPUTS, LATENCY)
    assert of_pairs(found) == wanted()
    assert len(of_pairs(found)) == 8 * 8 * 5 + 600
    assert sum(row["clipped"] for row in of_pairs(found)) > 40
    assert of_pairs(found[-1:] + found[:-1]) != wanted()  # a cycle earlier it is not there yet
