"""The share of an engine: all layers are shared out, none by more than one apart."""

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.layer.share import share
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.sim.clock import start_clock
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.program import layer_split

ENGINES = 4


@pytest.mark.parametrize("sim", SIMULATORS)
@pytest.mark.parametrize("index", [0, 2])
def test_share(sim, index):
    ports = dict(clk=bit(), low=uint(4), extra=uint(3), n_layers=uint(4))
    run(share, ports | dict(INDEX=index), __name__, sim, tests=1, parameters=dict(index=index))


@cocotb.test()
async def all_splits(dut):
    """Every number of layers up to 3 an engine."""
    index = test_parameters()["index"]
    start_clock(dut)
    for layers in range(ENGINES, 3 * ENGINES + 1):
        low, extra = layer_split(layers, ENGINES)
        dut.low.value, dut.extra.value = low, extra
        await ClockCycles(dut.clk, 3)
        shares = [layers // ENGINES + (k < layers % ENGINES) for k in range(ENGINES)]
        assert int(dut.n_layers.value) == shares[index] and sum(shares) == layers
