"""exponent against golden.fixed.arith.quantise, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest
from cocotb.triggers import Timer

from golden.fixed.arith import F_BITS, quantise
from rtl.hdl.hierarchy import hblock
from rtl.quant.exponent import exponent
from rtl.quant.quantiser import EXPONENT_BITS
from rtl.stream.stream import bit, uint
from tb.myhdl_sim import simulate
from tb.runner import SIMULATORS, run, test_parameters

FORMATS = [(16, 8), (8, 8), (16, 16)]  # BITS, NARROW


def ports(bits, narrow, e_bits=EXPONENT_BITS):
    return dict(magnitudes=uint(F_BITS - 1), narrow=bit(), e=uint(e_bits), BITS=bits, NARROW=narrow)


@hblock
def clocked(clk, magnitudes, narrow, e, BITS, NARROW):
    """`exponent` with the clock that the MyHDL bench drives."""
    return exponent(magnitudes, narrow, e, BITS=BITS, NARROW=NARROW)


def vectors():
    """Zero, every power of two and its neighbours, random ones of every length; wide and narrow."""
    rng = random.Random(2)
    values = [0, 1] + [(1 << k) + d for k in range(1, F_BITS - 1) for d in (-1, 0, 1)]
    values += [rng.randrange(1 << k) for k in range(1, F_BITS) for _ in range(4)]
    return [dict(magnitudes=v, narrow=short) for v in values for short in (0, 1)]


def wanted(bits, narrow):
    return [quantise(v["magnitudes"], narrow if v["narrow"] else bits)[1] for v in vectors()]


@pytest.mark.parametrize("bits, narrow", FORMATS)
def test_exponent_myhdl(bits, narrow):
    rows = simulate(clocked, dict(clk=bit(), **ports(bits, narrow)), vectors(), ["e"], 0)
    assert [row["e"] for row in rows] == wanted(bits, narrow)


@pytest.mark.parametrize("bits, narrow", FORMATS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_exponent(sim, bits, narrow):
    run(exponent, ports(bits, narrow), __name__, sim, parameters=dict(format=[bits, narrow]), tests=1)


def test_width_is_checked():
    with pytest.raises(ValueError, match="e must hold 24, has 4 bits"):
        exponent(**ports(16, 8, e_bits=4))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    found = []
    for vector in vectors():
        dut.magnitudes.value, dut.narrow.value = vector["magnitudes"], vector["narrow"]
        await Timer(1, unit="ns")
        found.append(int(dut.e.value))
    assert found == wanted(*test_parameters()["format"])
    assert len(found) == 2 * (2 + 30 * 3 + 31 * 4)
