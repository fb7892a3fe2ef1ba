"""widen against golden.fixed.embedding.embed, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.embedding import embed
from llama2_myhdl.rtl.embedding.widen import LATENCY, SHIFT_DELAY, ports, widen
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import F_BITS, F_FRAC
from llama2_myhdl.spec.limits import EMBEDDING_MAX, EMBEDDING_MIN
from tb.myhdl_sim import simulate
from tb.pipeline import apply

BITS = 8
LANES = [4, 8, 64]


def elements(lanes):
    """(word, lane, exponent): every lane with the extremes at both ends of the exponent, then random ones."""
    rng = random.Random(14)
    rows = [(x, lane, e) for lane in range(lanes) for x in (-128, 127, -1) for e in (EMBEDDING_MIN, EMBEDDING_MAX)]
    rows += [(rng.randrange(-128, 128), rng.randrange(lanes), rng.randrange(EMBEDDING_MIN, EMBEDDING_MAX + 1))
             for _ in range(300)]
    for x, lane, exponent in rows:
        others = [rng.randrange(256) for _ in range(lanes)]
        others[lane] = x & 255
        yield int.from_bytes(bytes(others), "little"), lane, exponent


def vectors(lanes):
    rows = list(elements(lanes))
    shifts = [rows[0][2]] * SHIFT_DELAY + [exponent for _, _, exponent in rows]
    columns = zip(rows + [rows[-1]] * SHIFT_DELAY, shifts)
    return [dict(word=word, lane=lane, shift=exponent + F_FRAC) for (word, lane, _), exponent in columns]


def wanted(lanes):
    rows = [dict(y=int(embed((w >> BITS * lane & 255 ^ 128) - 128, e))) for w, lane, e in elements(lanes)]
    return rows + [rows[-1]] * SHIFT_DELAY


@pytest.mark.parametrize("lanes", LANES)
def test_widen_myhdl(lanes):
    assert simulate(widen, ports(lanes, BITS, F_BITS), vectors(lanes), ["y"], LATENCY) == wanted(lanes)


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_widen(sim, lanes):
    run(widen, ports(lanes, BITS, F_BITS), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    lanes = len(dut.word) // BITS
    found = await apply(dut, vectors(lanes), dict(y=True), LATENCY)
    assert found == wanted(lanes)
    assert len(found) == 6 * lanes + 300 + SHIFT_DELAY
    assert found[1:] != wanted(lanes)[:-1]  # one cycle off is seen
