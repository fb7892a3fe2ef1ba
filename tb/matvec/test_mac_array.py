"""mac_array against numpy's dot product, in Verilog and in MyHDL's simulation."""

import random

import cocotb
import numpy as np
import pytest

from llama2_myhdl.rtl.matvec.mac_array import latency, mac_array, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from tb.lanes import packed
from tb.matvec.builds import BUILDS
from tb.matvec.model import extremes
from tb.myhdl_sim import simulate
from tb.pipeline import apply, with_pauses

COUNT = 300


def traffic(name):
    """Input vectors and expected outputs."""
    cfg, rng = BUILDS[name], random.Random(2)
    pairs = [(extremes(rng, cfg.weight_bits, cfg.lanes), extremes(rng, cfg.act_bits, cfg.lanes)) for _ in range(COUNT)]
    given = [dict(w=packed(w, cfg.weight_bits), a=packed(a, cfg.act_bits)) for w, a in pairs]
    return with_pauses(rng, given, [dict(y=int(np.dot(w, a))) for w, a in pairs])


@pytest.mark.parametrize("name", BUILDS)
def test_mac_array_myhdl(name):
    given, expected = traffic(name)
    assert simulate(mac_array, ports(BUILDS[name]), given, ["y"], latency(BUILDS[name].lanes)) == expected


@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_mac_array(sim, name):
    run(mac_array, ports(BUILDS[name]), __name__, sim, parameters=dict(name=name), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def dot_products(dut):
    name = test_parameters()["name"]
    given, expected = traffic(name)
    found = await apply(dut, given, dict(y=True), latency(BUILDS[name].lanes))
    assert found == expected
    assert len(found) == COUNT
