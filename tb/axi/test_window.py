"""window: what a region's address and beats mean in words of the bus; what cannot be is wrong, and nothing else."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.axi.window import ports, window
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.axi import ReadMaster

MOST = 1000
LATENCY = 3  # cycles from `enable`


# words of four beats, of one; beats of eight words
@pytest.mark.parametrize("address_bits, beat_bits", [(40, 32), (32, 128), (64, 1024)])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_window(sim, address_bits, beat_bits):
    sizes = dict(data_bits=128, address_bits=address_bits)
    given = dict(sizes=sizes, beat_bits=beat_bits)
    run(window, ports(ReadMaster(**sizes), beat_bits, MOST), __name__, sim, parameters=given, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def places(dut):
    given, rng = test_parameters(), random.Random(3)
    axi, beat_bits = ReadMaster(**given["sizes"]), given["beat_bits"]
    size, end = axi.word_bytes, 1 << axi.address_bits
    per_word = max(1, axi.data_bits // beat_bits)
    dut.enable.value = 0
    await start(dut)
    cases = [(rng.randrange(end // size) * size, rng.randrange(1, MOST)) for _ in range(20)]
    cases += [(rng.randrange(end // 2), rng.randrange(1, 9)) for _ in range(20)]
    for beats in (1, 2, 7, 8, 9, MOST):
        room = axi.words(beats, beat_bits) * size
        cases += [(end - room, beats), (0, beats)]
        cases += [(end - room + size, beats)] if room > size else []
    cases += [(0, 0), (size, 0)]
    found = {False: 0, True: 0}
    for base, beats in cases:
        words = axi.words(beats, beat_bits)
        right = base % size == 0 and beats > 0 and base + words * size <= end
        dut.rst.value, dut.enable.value = 1, 0
        await ClockCycles(dut.clk, 2)
        dut.rst.value, dut.base.value, dut.beats.value = 0, base, beats
        await ClockCycles(dut.clk, 5)
        assert dut.known.value == 0 and dut.wrong.value == 0
        dut.enable.value = 1
        await ClockCycles(dut.clk, LATENCY + 1)
        assert (dut.known.value == 1, dut.wrong.value == 1) == (right, not right), (hex(base), beats)
        if right:
            assert dut.first.value == base // size and dut.rest.value == words - 1
            assert dut.tail.value == (beats - 1) % per_word
        found[right] += 1
    assert min(found.values()) > 5
