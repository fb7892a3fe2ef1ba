"""narrow against golden.fixed.matvec.narrow, in Verilog and in MyHDL's simulation."""

import random

import cocotb
import numpy as np
import pytest

from golden.fixed.arith import Saturations
from golden.fixed.matvec import Activation
from golden.fixed.matvec import narrow as golden_narrow
from rtl.config import PRESETS, UNIT
from rtl.matvec.narrow import LATENCY, narrow
from rtl.matvec.streams import FACTOR_BITS, SCALE_BITS
from rtl.stream.stream import bit, sint, uint
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.runner import SIMULATORS, run, test_parameters

COUNT = 3000
BUILDS = ("nano", "default", "tinyllama-1.1B")  # two and three multipliers


def ports(name):
    cfg = PRESETS[name].build
    inputs = dict(acc=sint(cfg.acc_bits), factor=uint(FACTOR_BITS), exponent=sint(cfg.exp_bits), scale=sint(SCALE_BITS))
    return dict(clk=bit(), **inputs, y=sint(cfg.f_bits), clipped=bit())


def traffic(name):
    """Inputs of every size, most shifts near the size of the product; expected outputs."""
    cfg, rng = PRESETS[name].build, random.Random(7)
    top = 1 << cfg.acc_bits - 1
    scales, exponents = 1 << SCALE_BITS - 1, 1 << cfg.exp_bits - 1
    shifts = ((-exponents, -scales), (exponents - 1, scales - 1), (0, 0), (-7, -9), (-20, -43), (0, -64))
    given = [
        dict(acc=acc, factor=factor, exponent=exponent, scale=scale)
        for acc in (-top, top - 1, -1, 0, 1)
        for factor in (0, 1, UNIT // 2, UNIT)
        for exponent, scale in shifts
    ]
    while len(given) < COUNT:
        acc = rng.randrange(-top, top) >> rng.randrange(cfg.acc_bits)
        shift = rng.choice((rng.randrange(-4, 70), max(0, acc.bit_length() + rng.randrange(-20, 4))))
        exponent = rng.randrange(-64, 64)
        factor = rng.choice((UNIT, rng.randrange(UNIT + 1)))
        given.append(dict(acc=acc, factor=factor, exponent=exponent, scale=-shift - exponent))
    return given, [expectation(vector) for vector in given]


def expectation(vector):
    stats = Saturations()
    act = Activation(np.zeros(0), vector["factor"], vector["scale"])
    return dict(y=int(golden_narrow(vector["acc"], vector["exponent"], act, stats)), clipped=stats.count)


@pytest.mark.parametrize("name", BUILDS)
def test_narrow_myhdl(name):
    given, expected = traffic(name)
    assert simulate(narrow, ports(name), given, ["y", "clipped"], LATENCY) == expected


@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_narrow(sim, name):
    run(narrow, ports(name), __name__, sim, parameters=dict(name=name), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    given, expected = traffic(test_parameters()["name"])
    found = await apply(dut, given, dict(y=True, clipped=False), LATENCY)
    assert found == expected
    assert len(found) == COUNT
    assert 100 < sum(item["clipped"] for item in found) < COUNT // 2
