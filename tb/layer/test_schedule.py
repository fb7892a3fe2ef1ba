"""The schedule emits exactly the commands of `rtl.layer.program`, the order in which the tape is packed."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from rtl.boot.registers import register_values
from rtl.config import ModelShape, clog2, preset
from rtl.layer.kinds import KIND_BITS
from rtl.layer.program import program
from rtl.layer.schedule import schedule
from rtl.stream.stream import Stream, bit, uint
from tb.clock import start
from tb.runner import SIMULATORS, run
from tb.stream.drivers import StreamSink

BUILD = preset("default").build
SHAPE_PORTS = ("dim", "kv_dim", "hidden_dim", "vocab_size", "n_layers", "dim_beats", "hidden_beats", "gain_beats")
WIDTHS = dict(kind=KIND_BITS, rows=clog2(BUILD.max_rows + 1), beats=clog2(BUILD.max_row_beats + 1) + 1, release=1)
SHAPES = [
    preset("stories260K").shape,
    ModelShape(32, 70, 1, 2, 1, 100, 64),
    ModelShape(48, 192, 6, 8, 8, 512, 512),
]


def ports():
    fields = {name: bit() if name == "release" else uint(bits) for name, bits in WIDTHS.items()}
    registers = {name: uint(10) for name in SHAPE_PORTS}
    return dict(clk=bit(), rst=bit(), start=bit(), m=Stream(**fields), layer=uint(clog2(BUILD.max_layers)), **registers)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_schedule(sim):
    run(schedule, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def follows_the_program(dut):
    """All shapes, two tokens each, with back-pressure; `layer` is the one of the latest KEY command."""
    dut.start.value = 0
    sink = StreamSink(dut, "m", **WIDTHS)
    sink.pause(random.Random(3), 0.5)
    await start(dut)
    compared = 0
    for shape in SHAPES:
        values = register_values(shape, BUILD.lanes)
        for name in SHAPE_PORTS:
            getattr(dut, name).value = values[name]
        commands = program(shape, BUILD.lanes)
        for _ in range(2):
            await RisingEdge(dut.clk)
            dut.start.value = 1
            await RisingEdge(dut.clk)
            dut.start.value = 0
            for command in commands:
                got = await sink.recv()
                expected = dict(kind=command.kind, rows=command.rows, beats=command.beats, release=int(command.release))
                assert got == expected, command
                compared += 1
            await ClockCycles(dut.clk, 20)
            assert not sink.queue
            assert int(dut.layer.value) == shape.n_layers - 1
    assert compared == 2 * sum(len(program(shape, BUILD.lanes)) for shape in SHAPES)
