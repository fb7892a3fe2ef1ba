"""The registers that follow from others: every rule's value for random models, and the cycles that it takes."""

import random
from dataclasses import replace

import cocotb
import pytest
from cocotb.triggers import FallingEdge, RisingEdge

from llama2_myhdl.rtl.boot.derive import derive, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.presets import build_of
from llama2_myhdl.spec.registers import REGISTERS, register_values, rules
from tb.boot.images import random_shape

BUILDS = {
    "nano": build_of("nano"),
    "blocks_of_one_beat": replace(build_of("nano"), min_hidden_block=4, engines=2),
    "weights_of_16_bits": build_of("nano", weight_bits=16),
    "sixteen_lanes": build_of("stories15M", lanes=16, engines=3),
}
SHAPES = 20


@pytest.mark.parametrize("sim", SIMULATORS)
@pytest.mark.parametrize("name", BUILDS)
def test_derive(sim, name):
    run(derive, ports(BUILDS[name]), __name__, sim, name=name, tests=1, parameters=dict(build=name))


def cycles(rule, values):
    """From one rule's `give` to the next one's."""
    factors = [values[term[1]] if len(term) == 2 else 1 for term in rule.terms]
    return 1 + sum(5 + factor.bit_length() for factor in factors)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_rule(dut):
    """In order, each written back before the next one needs it."""
    build = BUILDS[test_parameters()["build"]]
    rng, compared = random.Random(2), 0
    dut.we.value, dut.start.value, dut.number.value, dut.word.value = 0, 0, 0, 0
    await start(dut)
    for _ in range(SHAPES):
        values = register_values(random_shape(build, rng), build)
        for number, name in enumerate(REGISTERS):
            await FallingEdge(dut.clk)
            dut.we.value, dut.number.value, dut.word.value = 1, number, values[name]
            dut.start.value = int(number == len(REGISTERS) - 1)
        for number, (name, rule) in enumerate(rules(build).items(), len(REGISTERS)):
            passed = 0
            while passed == 0 or not dut.give.value:
                await RisingEdge(dut.clk)
                await FallingEdge(dut.clk)
                dut.we.value, dut.start.value = 0, 0
                passed += 1
            assert int(dut.value.value) == values[name], name
            assert passed == cycles(rule, values), name
            dut.we.value, dut.number.value, dut.word.value = 1, number, values[name]
            compared += 1
    assert compared == SHAPES * len(rules(build))
