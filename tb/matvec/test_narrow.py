"""narrow against golden.fixed.matvec.narrow, in Verilog and in MyHDL's simulation, moving and standing."""

import random

import cocotb
import numpy as np
import pytest

from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.golden.fixed.matvec import Activation
from llama2_myhdl.golden.fixed.matvec import narrow as golden_narrow
from llama2_myhdl.rtl.matvec.narrow import LATENCY, narrow, ports
from llama2_myhdl.rtl.matvec.streams import SCALE_BITS
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.formats import UNIT
from llama2_myhdl.spec.presets import build_of
from tb.matvec.builds import BUILDS as SMALL
from tb.myhdl_sim import simulate
from tb.pipeline import apply

COUNT = 3000
BUILDS = SMALL | {"tinyllama-1.1B": build_of("tinyllama-1.1B")}  # two and three multipliers


def traffic(name):
    """Inputs of every size, most shifts near the size of the product; expected outputs."""
    cfg, rng = BUILDS[name], random.Random(7)
    top = 1 << cfg.acc_bits - 1
    scales, exponents = 1 << SCALE_BITS - 1, 1 << cfg.exp_bits - 1
    shifts = ((-exponents, -scales), (exponents - 1, scales - 1), (0, 0), (-7, -9), (-20, -43), (0, -64))
    given = [
        dict(acc=acc, factor=factor, exponent=exponent, scale=scale)
        for acc in (-top, top - 1, -1, 0, 1)
        for factor in (0, 1, UNIT // 2, UNIT)
        for exponent, scale in shifts
    ]
    given += edges(top)
    while len(given) < COUNT:
        acc = rng.randrange(-top, top) >> rng.randrange(cfg.acc_bits)
        shift = rng.choice((rng.randrange(-4, 70), max(0, acc.bit_length() + rng.randrange(-20, 4))))
        exponent = rng.randrange(-64, 64)
        factor = rng.choice((UNIT, rng.randrange(UNIT + 1)))
        given.append(dict(acc=acc, factor=factor, exponent=exponent, scale=-shift - exponent))
    return given, [expectation(vector) for vector in given]


def edges(top):
    """Products that shift to the ends of y's range, to half a step around them, and to a step beyond."""
    found = []
    for shift in (1, 2):
        for end in (-(1 << 31), (1 << 31) - 1):
            for product in range((end - 1) << shift, ((end + 1) << shift) + 1):
                factor = next((f for f in range(UNIT, 15, -1) if product % f == 0 and abs(product) < top * f), None)
                if factor:
                    found.append(dict(acc=product // factor, factor=factor, exponent=-shift, scale=0))
    return found


def test_edges_clip_and_fit():
    """Rounding up carries one value out of the range and another one into it."""
    seen = {(vector["acc"] * vector["factor"], -vector["exponent"]): expectation(vector) for vector in edges(1 << 31)}
    assert seen[2**32 - 1, 1] == dict(y=2**31 - 1, clipped=1)  # 2**31 - 1/2
    assert seen[-(2**32) - 1, 1] == dict(y=-(2**31), clipped=0)  # -2**31 - 1/2
    assert len(seen) > 10


def expectation(vector):
    stats = Tally()
    act = Activation(np.zeros(0), vector["factor"], vector["scale"])
    return dict(y=int(golden_narrow(vector["acc"], vector["exponent"], act, stats)), clipped=stats.count)


def stalled(name):
    """The same, the pipeline standing every fourth cycle: inputs of each cycle, and the outputs behind each."""
    rng, (given, expected) = random.Random(8), traffic(name)
    cycles, behind, entered = [], [], 0
    while entered < len(given):
        enable = int(rng.random() < 0.75)
        cycles.append(dict(given[entered], enable=enable))
        entered += enable
        behind.append(expected[entered - LATENCY] if entered >= LATENCY else None)
    return cycles, behind


def compare(found, behind):
    """Number of outputs compared, those from before the first vector aside."""
    pairs = [pair for pair in zip(found, behind, strict=True) if pair[1] is not None]
    assert [a for a, _ in pairs] == [b for _, b in pairs]
    return len(pairs)


@pytest.mark.parametrize("name", BUILDS)
def test_narrow_myhdl(name):
    cycles, behind = stalled(name)
    assert compare(simulate(narrow, ports(BUILDS[name]), cycles, ["y", "clipped"], 1), behind) >= COUNT


@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_narrow(sim, name):
    run(narrow, ports(BUILDS[name]), __name__, sim, parameters=dict(name=name), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    cycles, behind = stalled(test_parameters()["name"])
    found = await apply(dut, cycles, dict(y=True, clipped=False), 1)
    assert compare(found, behind) >= COUNT
    assert 100 < sum(item["clipped"] for item in found[2 * LATENCY:] if item) < COUNT
