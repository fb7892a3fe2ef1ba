"""even_shift against the shift that golden.fixed.norm.inverse_rms makes, in Verilog and in MyHDL's simulation."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.norm.even_shift import LATENCY, even_shift, ports
from llama2_myhdl.rtl.stream.stream import uint
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.formats import EXP2_FRAC
from tb.myhdl_sim import simulate
from tb.pipeline import apply

WIDTHS = [69, 80, 32]
OUTPUTS = dict(m=False, half=True)


def vectors(bits):
    """Zero, every length with the fewest, the most and random ones below the top."""
    rng = random.Random(8)
    tops = [1 << k for k in range(bits)]
    values = [0] + tops + [2 * top - 1 for top in tops] + [top | rng.randrange(top) for top in tops for _ in range(8)]
    return [dict(s=s) for s in values]


def wanted(vectors):
    rows = []
    for s in (v["s"] for v in vectors):
        half = (s.bit_length() - 1) // 2
        shift = 2 * half - (EXP2_FRAC - 1)
        rows.append(dict(m=s >> shift if shift >= 0 else s << -shift, half=half))
    return rows


@pytest.mark.parametrize("bits", WIDTHS)
def test_even_shift_myhdl(bits):
    assert simulate(even_shift, ports(bits), vectors(bits), list(OUTPUTS), LATENCY) == wanted(vectors(bits))


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_even_shift(sim, bits):
    run(even_shift, ports(bits), __name__, sim, tests=1)


def test_width_is_checked():
    with pytest.raises(ValueError, match="m has 19 bits, at most 18 fit"):
        even_shift(**dict(ports(69), m=uint(19)))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    bits = len(dut.s)
    found, golden = await apply(dut, vectors(bits), OUTPUTS, LATENCY), wanted(vectors(bits))
    assert found == golden
    assert len(found) == 1 + 10 * bits
    assert found[1:] != golden[:-1]  # one cycle off is seen
