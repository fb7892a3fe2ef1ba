"""The schedule emits exactly the commands of `spec.program`, the order in which the tape is packed."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.layer.schedule import REGISTERS, ports, schedule
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink
from llama2_myhdl.spec.config import ModelShape, clog2
from llama2_myhdl.spec.kinds import KIND_BITS
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.program import engine_program
from llama2_myhdl.spec.registers import register_values

BUILD = preset("default").build
WIDTHS = dict(kind=KIND_BITS, rows=clog2(BUILD.max_rows + 1), beats=clog2(BUILD.max_row_beats + 1) + 1)
FLAGS = ("release", "head")
SHAPES = [
    preset("stories260K").shape,
    ModelShape(32, 70, 1, 2, 1, 100, 64),
    ModelShape(48, 192, 6, 8, 8, 512, 512),
    ModelShape(10, 1, 2, 1, 1, 3, 16),
    ModelShape(56, 191, 6, 4, 4, 511, 512),
    ModelShape(10, 1, 2, 1, 1, 3, 16),
]


@pytest.mark.parametrize("sim", SIMULATORS)
def test_schedule(sim):
    run(schedule, ports(BUILD), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def follows_the_program(dut):
    """All shapes; with and without the head, and the head alone; `layer` is the one of the latest KEY command."""
    dut.start.value = 0
    sink = StreamSink(dut, "m", **WIDTHS, **{name: 1 for name in FLAGS})
    sink.pause(random.Random(3), 0.5)
    await start(dut)
    compared, expected = 0, 0
    for shape in SHAPES:
        values = register_values(shape, BUILD)
        for layers, head in ((shape.n_layers, 1), (shape.n_layers, 0), (0, 1), (shape.n_layers, 1)):
            for name in REGISTERS:
                getattr(dut, name).value = values[name]
            dut.n_layers.value = layers
            wanted = engine_program(shape, BUILD, 0, layers, bool(head))
            await RisingEdge(dut.clk)
            dut.start.value, dut.head.value = 1, head
            await RisingEdge(dut.clk)
            dut.start.value, dut.head.value = 0, 1 - head
            for command in wanted:
                got = await sink.recv()
                fields = {name: int(getattr(command, name)) for name in (*WIDTHS, *FLAGS)}
                assert got == fields, command
                compared += 1
            await ClockCycles(dut.clk, 20)
            assert not sink.queue
            assert int(dut.layer.value) == shape.n_layers - 1
            expected += len(wanted)
    assert compared == expected > 100
