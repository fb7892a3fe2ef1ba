"""The share of an engine: all layers are shared out, none by more than one apart."""

from dataclasses import replace

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.layer.share import ports, share
from llama2_myhdl.sim.clock import start_clock
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.program import layer_split

ENGINES = 4
MOST_LAYERS = 3 * ENGINES
BUILD = replace(preset("nano").build, engines=ENGINES, max_layers=MOST_LAYERS)


@pytest.mark.parametrize("sim", SIMULATORS)
@pytest.mark.parametrize("index", [0, 2])
def test_share(sim, index):
    run(share, ports(BUILD, index), __name__, sim, tests=1, parameters=dict(index=index))


@cocotb.test()
async def all_splits(dut):
    """Every number of layers up to 3 an engine, up and down."""
    index = test_parameters()["index"]
    start_clock(dut)
    for layers in (*range(ENGINES, MOST_LAYERS + 1), *range(MOST_LAYERS, ENGINES - 1, -1)):
        low, extra = layer_split(layers, ENGINES)
        dut.low.value, dut.extra.value = low, extra
        await ClockCycles(dut.clk, 3)
        shares = [layers // ENGINES + (k < layers % ENGINES) for k in range(ENGINES)]
        assert int(dut.n_layers.value) == shares[index] and sum(shares) == layers
