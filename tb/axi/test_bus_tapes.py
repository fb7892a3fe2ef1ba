"""The tapes of a station behind a bus: as those on the chip, the one that is wanted goes on where it stands."""

import random
from itertools import cycle, islice

import cocotb
import pytest
from cocotb.triggers import RisingEdge

from llama2_myhdl.rtl.axi.bus_tapes import bus_tapes, ports
from llama2_myhdl.sim.axi_memory import ReadMemory
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.errors import NONE
from llama2_myhdl.spec.presets import preset
from tb.memory.station import HEAD_BEATS, LAYER_BEATS, LAYERS, READ, STATIONS, TURNS

BUILD = preset("nano-bus").build.engine
FAR = 0xAB_CDEF_0000


@pytest.mark.parametrize(
    "sim, name", [(SIMULATORS[0], "engine alone"), (SIMULATORS[-1], "engine"), (SIMULATORS[-1], "head")]
)
def test_bus_tapes(sim, name):
    run(bus_tapes, ports(BUILD, *STATIONS[name]), __name__, sim, parameters=dict(name=name), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def each_goes_on_where_it_stands(dut):
    rng = random.Random(6)
    layers, head = STATIONS[test_parameters()["name"]]
    memory = ReadMemory(dut, "m_axi", BUILD.weights, layers + head, rng)
    memory.latency, memory.stalls = (1, 60), dict(ar=0.2, r=0.2)
    dut.from_head.value = dut.m_ready.value = dut.enable.value = 0
    dut.n_layers.value, dut.layer_beats.value, dut.head_beats.value = LAYERS, LAYER_BEATS, HEAD_BEATS
    size = BUILD.beat_bits // 8
    tapes = [rng.randbytes(beats * size) for beats in layers * [LAYERS * LAYER_BEATS] + head * [HEAD_BEATS]]
    for k, tape in enumerate(tapes):
        memory.put(FAR + k * 0x1008, tape)
        getattr(dut, f"base_{k}").value = FAR + k * 0x1008
    await start(dut)
    dut.enable.value = 1
    readers = [cycle([tape[k : k + size] for k in range(0, len(tape), size)]) for tape in tapes]
    compared = 0
    for turn in range(TURNS):
        dut.from_head.value = turn % 2  # without a choice it says nothing
        got, count = [], rng.randrange(1, READ)
        while len(got) < count:
            ready = rng.random() < 0.7
            dut.m_ready.value = int(ready)
            await RisingEdge(dut.clk)
            if ready and dut.m_valid.value == 1:
                got.append(int(dut.m_data.value).to_bytes(size, "little"))
        assert got == list(islice(readers[turn % len(readers)], count))
        compared += count
    dut.m_ready.value = 0
    assert compared > TURNS and dut.error.value == NONE
