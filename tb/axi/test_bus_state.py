"""bus_state: no error but one that a master has, none only when none has one; reading while any is busy."""

import random

import cocotb
import pytest
from cocotb.triggers import Timer

from llama2_myhdl.rtl.axi.bus_state import bus_state, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.errors import BUS_ERRORS, NONE

ROUNDS = 200


@pytest.mark.parametrize("masters", [1, 4])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_bus_state(sim, masters):
    run(bus_state, ports(masters), __name__, sim, parameters=dict(masters=masters), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def what_any_master_says(dut):
    masters, rng = test_parameters()["masters"], random.Random(4)
    lone = [[code if k == one else NONE for k in range(masters)] for one in range(masters) for code in BUS_ERRORS]
    some = [[rng.choice((NONE, *BUS_ERRORS)) for _ in range(masters)] for _ in range(ROUNDS)]
    for codes in [[NONE] * masters, *lone, *some]:
        busy = [rng.random() < 1 / masters for _ in codes]
        for k in range(masters):
            getattr(dut, f"errors_{k}").value, getattr(dut, f"busy_{k}").value = codes[k], int(busy[k])
        await Timer(1, "ns")
        told = set(codes) - {NONE}
        assert int(dut.error.value) in (told or {NONE}), codes
        assert dut.reading.value == int(any(busy))
