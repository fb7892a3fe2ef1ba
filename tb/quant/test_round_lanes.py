"""round_lanes against golden.fixed.arith, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from golden.fixed.arith import F_BITS, round_shift, saturate
from rtl.quant.quantiser import EXPONENT_BITS
from rtl.quant.round_lanes import LATENCY, round_lanes
from rtl.stream.stream import bit, uint
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.runner import SIMULATORS, run, test_parameters

FORMATS = [(16, 8), (8, 8), (12, 9)]  # BITS, NARROW
LANES = 3


def ports(bits, narrow):
    return dict(clk=bit(), x=uint(LANES * F_BITS), keep=uint(LANES), exponent=uint(EXPONENT_BITS), narrow=bit(),
                y=uint(LANES * bits), BITS=bits, NARROW=narrow)


def packed(values, bits):
    return sum((int(v) & ((1 << bits) - 1)) << (k * bits) for k, v in enumerate(values))


def cases(bits, narrow):
    """(elements, keep, exponent, short): every exponent with the largest elements that it allows, and random ones."""
    rng, rows = random.Random(2), []
    for short in (0, 1):
        width = narrow if short else bits
        for e in range(F_BITS - width + 1):
            top = (1 << (e + width - 1)) - 1
            rows.append(([top, -top - 1, top - (1 << e >> 1)], 7, e, short))
            rows.append(([-1, 1 << e >> 1, -(1 << e >> 1)], 7, e, short))
            rows += [([rng.randint(-top - 1, top) for _ in range(LANES)], rng.randrange(8), e, short)
                     for _ in range(8)]
    return rows


def vectors(bits, narrow):
    return [dict(x=packed(x, F_BITS), keep=keep, exponent=e, narrow=short) for x, keep, e, short in cases(bits, narrow)]


def wanted(bits, narrow):
    rows = []
    for x, keep, e, short in cases(bits, narrow):
        mantissas = [saturate(round_shift(v, e), narrow if short else bits) if keep >> k & 1 else 0
                     for k, v in enumerate(x)]
        rows.append(dict(y=packed(mantissas, bits)))
    return rows


@pytest.mark.parametrize("bits, narrow", FORMATS)
def test_round_lanes_myhdl(bits, narrow):
    found = simulate(round_lanes, ports(bits, narrow), vectors(bits, narrow), ["y"], LATENCY)
    assert found == wanted(bits, narrow)


@pytest.mark.parametrize("bits, narrow", FORMATS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_round_lanes(sim, bits, narrow):
    run(round_lanes, ports(bits, narrow), __name__, sim, parameters=dict(format=[bits, narrow]), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    bits, narrow = test_parameters()["format"]
    found = await apply(dut, vectors(bits, narrow), dict(y=False), LATENCY)
    assert found == wanted(bits, narrow)
    assert len(found) == 10 * (2 * F_BITS - bits - narrow + 2)
    assert found[1:] != wanted(bits, narrow)[:-1]  # one cycle off is seen
