"""round_lanes against golden.fixed.arith, in Verilog and in MyHDL's simulation, moving always and with pauses."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.arith import round_shift, saturate
from llama2_myhdl.rtl.quant.round_lanes import LATENCY, ports, round_lanes
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.formats import F_BITS
from tb.lanes import packed
from tb.myhdl_sim import simulate
from tb.pipeline import apply

FORMATS = [16, 8, 12]  # BITS
LANES = 3


def cases(bits):
    """(elements, keep, exponent): every exponent with the largest elements that it allows, and random ones."""
    rng, rows = random.Random(2), []
    for e in range(F_BITS - bits + 1):
        top = (1 << (e + bits - 1)) - 1
        rows.append(([top, -top - 1, top - (1 << e >> 1)], 7, e))
        rows.append(([-1, 1 << e >> 1, -(1 << e >> 1)], 7, e))
        rows += [([rng.randint(-top - 1, top) for _ in range(LANES)], rng.randrange(8), e) for _ in range(8)]
    return rows


def vectors(bits, pauses=0):
    """Input cycles and the cases that the output shows LATENCY cycles later (None: not yet one)."""
    rng, rows, stages, shown = random.Random(4), [], [None] * (LATENCY - 1), [None]
    queue = list(enumerate(cases(bits)))
    while queue or shown[-1] != len(cases(bits)) - 1:
        move, there = rng.random() >= pauses, bool(queue) and rng.random() >= pauses
        n, (x, keep, e) = queue[0] if there else (None, rng.choice(cases(bits)))
        rows.append(dict(x=packed(x, F_BITS), keep=keep, exponent=e, move=int(move), there=int(there)))
        if move:
            arrives, stages = stages[-1], [n] + stages[:-1]
            queue = queue[there:]
        shown.append(arrives if move and arrives is not None else shown[-1])
    return rows, shown


def wanted(bits):
    rows = []
    for x, keep, e in cases(bits):
        mantissas = [saturate(round_shift(v, e), bits) if keep >> k & 1 else 0 for k, v in enumerate(x)]
        rows.append(dict(y=packed(mantissas, bits)))
    return rows


def check(found, shown, bits):
    """Compare every cycle's output with the case that it must show; returns the cases seen."""
    golden, seen = wanted(bits), set()
    for row, n in zip(found, shown):
        if n is not None:
            assert row == golden[n], n
            seen.add(n)
    return len(seen)


@pytest.mark.parametrize("bits", FORMATS)
def test_round_lanes_myhdl(bits):
    rows, shown = vectors(bits, 0.3)
    assert check(simulate(round_lanes, ports(LANES, bits), rows, ["y"], 0), shown, bits) >= len(cases(bits)) - 1


@pytest.mark.parametrize("bits", FORMATS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_round_lanes(sim, bits):
    run(round_lanes, ports(LANES, bits), __name__, sim, parameters=dict(bits=bits), tests=2)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def always_moving(dut):
    bits = test_parameters()["bits"]
    rows = vectors(bits)[0][:len(cases(bits))]
    found = await apply(dut, rows, dict(y=False), LATENCY)
    assert found == wanted(bits)
    assert len(found) == 10 * (F_BITS - bits + 1)
    assert found[1:] != wanted(bits)[:-1]  # one cycle off is seen


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def pauses(dut):
    bits = test_parameters()["bits"]
    rows, shown = vectors(bits, 0.4)
    found = await apply(dut, rows, dict(y=False), 0)
    assert check(found, shown, bits) >= len(cases(bits)) - 1
    with pytest.raises(AssertionError):
        check(found, shown[1:], bits)
