"""row_exponents: the exponent of a lane, while the next group's beat is loaded."""

import random

import cocotb
import pytest

from llama2_myhdl.rtl.matvec.row_exponents import LATENCY, ports, row_exponents
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from tb.lanes import packed
from tb.matvec.builds import BUILDS
from tb.myhdl_sim import simulate
from tb.pipeline import apply

COUNT = 400


def traffic(name):
    cfg, rng = BUILDS[name], random.Random(4)
    limit = 1 << cfg.exp_bits - 1
    held, given, expected = None, [], []
    for cycle in range(COUNT):
        beat = [rng.randrange(-limit, limit) for _ in range(cfg.lanes)]
        lane, load = rng.randrange(cfg.lanes), int(cycle == 0 or rng.random() < 0.2)
        given.append(dict(load=load, beat=packed(beat, cfg.exp_bits), lane=lane))
        expected.append(held and held[lane])
        held = beat if load else held
    return given, expected


@pytest.mark.parametrize("name", BUILDS)
def test_row_exponents_myhdl(name):
    given, expected = traffic(name)
    found = simulate(row_exponents, ports(BUILDS[name]), given, ["exponent"], LATENCY)
    assert [item["exponent"] for item in found[1:]] == expected[1:]


@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_row_exponents(sim, name):
    run(row_exponents, ports(BUILDS[name]), __name__, sim, parameters=dict(name=name), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def lanes(dut):
    given, expected = traffic(test_parameters()["name"])
    # nothing is held for the first vector: apply it before the outputs are looked at
    found = await apply(dut, given, dict(exponent=True), LATENCY + 1)
    assert [item["exponent"] for item in found[:-1]] == expected[1:]
    assert len(found) == COUNT
