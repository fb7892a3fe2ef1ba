"""The tapes of a station: each takes its part of the boot stream; the one that is wanted goes on where it stands."""

import random
from itertools import cycle, islice

import cocotb
import pytest
from cocotb.triggers import RisingEdge

from llama2_myhdl.rtl.memory.tapes import ports, tapes
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.presets import preset
from tb.memory.station import HEAD_BEATS, LAYER_BEATS, LAYERS, READ, STATIONS, TURNS

BUILD = preset("nano").build.engine
REST = 5  # boot beats behind those of the station


@pytest.mark.parametrize("name", STATIONS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_tapes(sim, name):
    run(tapes, ports(BUILD, *STATIONS[name]), __name__, sim, parameters=dict(name=name), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def each_goes_on_where_it_stands(dut):
    rng = random.Random(6)
    layers, head = STATIONS[test_parameters()["name"]]
    source = StreamSource(dut, "s", data=BUILD.beat_bits, last=1)
    onward = StreamSink(dut, "m_boot", data=BUILD.beat_bits, last=1)
    dut.from_head.value = dut.m_ready.value = 0
    dut.n_layers.value, dut.layer_beats.value, dut.head_beats.value = LAYERS, LAYER_BEATS, HEAD_BEATS
    await start(dut)
    lengths = layers * LAYERS * LAYER_BEATS, head * HEAD_BEATS
    parts = [[rng.randrange(1 << BUILD.beat_bits) for _ in range(length)] for length in (*lengths, REST)]
    image = sum(parts, [])
    await source.send(*[dict(data=beat, last=int(k == len(image) - 1)) for k, beat in enumerate(image)])
    await onward.wait(REST)
    assert [beat["data"] for beat in onward.queue] == parts[-1] and onward.queue[-1]["last"]
    readers = [cycle(part) for part in parts[:2]]
    for turn in range(TURNS):
        chosen = turn % 2 if layers and head else int(head)
        dut.from_head.value = turn % 2  # without a choice it says nothing
        got, count = [], rng.randrange(1, READ)
        while len(got) < count:
            ready = rng.random() < 0.7
            dut.m_ready.value = int(ready)
            await RisingEdge(dut.clk)
            if ready and dut.m_valid.value:
                got.append(int(dut.m_data.value))
        assert got == list(islice(readers[chosen], count))
