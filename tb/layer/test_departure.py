"""The departure: of a packet's 2 * n_layers + 1 vectors the last one leaves, unless it is to stay."""

import random
from dataclasses import replace
from itertools import product

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.layer.departure import departure, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.presets import preset

BUILD = replace(preset("nano").build, max_layers=5)
VECTOR = dict(data=-BUILD.f_bits, last=1)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_departure(sim):
    run(departure, ports(BUILD), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def the_last_vector_leaves(dut):
    """Packets of 0 to 5 layers, staying and leaving, with pauses: each vector arrives whole at the right door.
    Without pauses the first element comes in the cycle behind a new n_layers."""
    rng = random.Random(4)
    source, doors = StreamSource(dut, "s", **VECTOR), [StreamSink(dut, name, **VECTOR) for name in ("m_norm", "m_exit")]
    await start(dut)
    compared = at_once = 0
    packets = [(0, 0), (0, 0), (0, 1), (0, 0), (1, 0), (1, 1), (5, 0), (5, 1), (2, 0)]
    for pause, (layers, stay) in product((0, 0.3), packets):
        dut.n_layers.value, dut.stay.value = layers, stay
        for port in (source, *doors):
            port.pause(rng, pause)
        sizes = [rng.randrange(2, 6) for _ in range(2 * layers + 1)]
        vectors = [[rng.randrange(-(1 << 31), 1 << 31) for _ in range(size)] for size in sizes]
        for number, data in enumerate(vectors):
            source.send_nowait(*[dict(data=d, last=int(k == len(data) - 1)) for k, d in enumerate(data)])
            if number == 0:
                await ClockCycles(dut.clk, 2)
                at_once += int(dut.s_valid.value)
            door = doors[number == 2 * layers and not stay]
            got = [await door.recv() for _ in data]
            assert [(beat["data"], beat["last"]) for beat in got] == [(d, int(d is data[-1])) for d in data]
            assert not any(each.queue for each in doors)
            compared += len(data)
    assert compared == sum(each.received for each in doors) > 200 and at_once >= len(packets)
