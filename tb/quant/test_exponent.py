"""exponent against golden.fixed.arith.quantise: vectors of singles and pairs in both halves, in Verilog and MyHDL."""
import random

import cocotb
import numpy as np
import pytest

from llama2_myhdl.golden.fixed.arith import quantise
from llama2_myhdl.rtl.quant.exponent import exponent, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.formats import F_BITS
from tb.myhdl_sim import simulate
from tb.pipeline import apply

FORMATS = [16, 8, 9]  # BITS
OUTPUTS = dict(e=False)
LOW, HIGH = -(1 << (F_BITS - 1)), (1 << (F_BITS - 1)) - 1


def stimulus():
    """Input cycles, and the vectors complete in each half (or None) after each cycle."""
    rng = random.Random(2)
    edges = [0, 1, -1, LOW, HIGH] + [s * (1 << k) + d for k in range(F_BITS - 1) for d in (-1, 0, 1) for s in (-1, 1)]
    vectors = [([x], False) for x in edges if LOW <= x <= HIGH]
    for _ in range(300):
        pairs, span = rng.random() < 0.5, rng.randrange(F_BITS)
        count = 2 * rng.randint(1, 4) if pairs else rng.randint(1, 5)
        vectors.append(([rng.randint(LOW, HIGH) >> span for _ in range(count)], pairs))
    rows, whole, held = [], [], [None, None]
    for n, (x, pairs) in enumerate(vectors):
        half = n % 2
        steps = list(zip(x[::2], x[1::2])) if pairs else [(v, rng.randint(LOW, HIGH)) for v in x]
        for k, (a, b) in enumerate(steps):
            while rng.random() < 0.2:  # nothing is taken: what stands at the inputs must not count
                rows.append(dict(take=0, first=rng.randrange(2), half=half, data=rng.randint(LOW, HIGH), second=b,
                                 both=1, of=1 - half))
                whole.append(held[1 - half])
            rows.append(dict(take=1, first=int(k == 0), half=half, data=a, second=b, both=int(pairs), of=1 - half))
            whole.append(held[1 - half])
        held[half] = x
    rows.append(dict(rows[-1], take=0, of=1 - rows[-1]["of"]))
    whole.append(held[half])
    return rows, whole


def check(found, bits):
    """Compare with the golden exponents; returns how many."""
    compared = 0
    for row, x in zip(found, stimulus()[1]):
        if x is not None:
            assert row == dict(e=quantise(np.array(x), bits)[1]), x
            compared += 1
    return compared


@pytest.mark.parametrize("bits", FORMATS)
def test_exponent_myhdl(bits):
    assert check(simulate(exponent, ports(bits), stimulus()[0], list(OUTPUTS), 0), bits) > 1000


@pytest.mark.parametrize("bits", FORMATS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_exponent(sim, bits):
    run(exponent, ports(bits), __name__, sim, parameters=dict(bits=bits), tests=1)


def test_width_is_checked():
    with pytest.raises(ValueError, match="e must hold 16, has 4 bits"):
        exponent(**ports(16, EBITS=4))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    bits = test_parameters()["bits"]
    found = await apply(dut, stimulus()[0], OUTPUTS, 0)
    assert check(found, bits) > 1000
    assert {row["e"] for row in found if row["e"] is not None} == set(range(F_BITS - bits + 1))
    with pytest.raises(AssertionError):
        check(found[1:], bits)  # one cycle off is seen
