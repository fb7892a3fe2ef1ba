"""widen against golden.fixed.embedding.embed, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.embedding import embed
from llama2_myhdl.rtl.embedding.widen import LATENCY, SHIFT_DELAY, ports, widen
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.formats import F_BITS, F_FRAC
from llama2_myhdl.spec.limits import embedding_limits
from tb.lanes import packed
from tb.myhdl_sim import simulate
from tb.pipeline import apply

SIZES = {4: 8, 8: 16, 64: 8}  # bits of an element, by lanes


def elements(lanes):
    """(word, lane, exponent): every lane with the extremes at both ends of the exponent, then random ones."""
    rng = random.Random(14)
    bits = SIZES[lanes]
    top, (low, high) = 1 << bits - 1, embedding_limits(bits).values()
    rows = [(x, lane, e) for lane in range(lanes) for x in (-top, top - 1, -1) for e in (low, high)]
    rows += [(rng.randrange(-top, top), rng.randrange(lanes), rng.randrange(low, high + 1)) for _ in range(300)]
    for x, lane, exponent in rows:
        others = [rng.randrange(-top, top) for _ in range(lanes)]
        others[lane] = x
        yield others, lane, exponent


def vectors(lanes):
    rows = list(elements(lanes))
    shifts = [rows[0][2]] * SHIFT_DELAY + [exponent for _, _, exponent in rows]
    columns = zip(rows + [rows[-1]] * SHIFT_DELAY, shifts)
    return [dict(word=packed(row, SIZES[lanes]), lane=lane, shift=e + F_FRAC) for (row, lane, _), e in columns]


def wanted(lanes):
    rows = [dict(y=int(embed(row[lane], e))) for row, lane, e in elements(lanes)]
    return rows + [rows[-1]] * SHIFT_DELAY


@pytest.mark.parametrize("lanes", SIZES)
def test_widen_myhdl(lanes):
    assert simulate(widen, ports(lanes, SIZES[lanes], F_BITS), vectors(lanes), ["y"], LATENCY) == wanted(lanes)


@pytest.mark.parametrize("lanes", SIZES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_widen(sim, lanes):
    run(widen, ports(lanes, SIZES[lanes], F_BITS), __name__, sim, parameters=dict(lanes=lanes), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    lanes = test_parameters()["lanes"]
    found = await apply(dut, vectors(lanes), dict(y=True), LATENCY)
    assert found == wanted(lanes)
    assert len(found) == 6 * lanes + 300 + SHIFT_DELAY
    assert found[1:] != wanted(lanes)[:-1]  # one cycle off is seen
