"""The read master before an AXI memory that others have written (cocotbext-axi): every beat, with pauses."""

import random
from itertools import cycle, islice

import cocotb
import pytest
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiRamRead, AxiReadBus

from llama2_myhdl.rtl.axi.read_master import ports, read_master
from llama2_myhdl.sim.axi import ReadMonitor
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink
from llama2_myhdl.spec.axi import PAGE, ReadMaster
from llama2_myhdl.spec.errors import NONE

AXI = ReadMaster(data_bits=128, burst=256, depth=512)
BEAT_BITS = 64
REGIONS = (dict(base=PAGE - 48, beats=700), dict(base=3 * PAGE + 160, beats=21))


@pytest.mark.parametrize("sim", SIMULATORS[:1])
def test_foreign_memory(sim):
    arguments = ports(AXI, BEAT_BITS, 1000, len(REGIONS))
    run(read_master, arguments, __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_beat(dut):
    rng = random.Random(11)
    image, size = rng.randbytes(4 * PAGE), BEAT_BITS // 8
    for pin in (dut.enable, dut.m_axi_arready, dut.m_axi_rvalid):
        pin.value = 0
    await start(dut)
    # the foreign memory must not see an unknown pin
    memory = AxiRamRead(AxiReadBus.from_prefix(dut, "m_axi"), dut.clk, dut.rst, size=len(image))
    memory.write(0, image)
    for channel in (memory.ar_channel, memory.r_channel):
        channel.set_pause_generator(cycle([rng.random() < 0.3 for _ in range(97)]))
    monitor = ReadMonitor(dut, "m_axi", AXI, len(REGIONS))
    sinks = [StreamSink(dut, f"m_{k}", data=BEAT_BITS) for k in range(len(REGIONS))]
    for k, region in enumerate(REGIONS):
        for name, value in region.items():
            getattr(dut, f"{name}_{k}").value = value
    dut.enable.value = 1
    for sink, region in zip(sinks, REGIONS):
        await sink.wait(2 * region["beats"] + 5)
        sink.pause(rng, 1)
    await ClockCycles(dut.clk, 4000)
    monitor.finish()
    assert dut.error.value == NONE
    for sink, region in zip(sinks, REGIONS):
        words = [image[region["base"] + k * size :][:size] for k in range(region["beats"])]
        got = [entry["data"].to_bytes(size, "little") for entry in sink.queue]
        assert got == list(islice(cycle(words), len(got)))
