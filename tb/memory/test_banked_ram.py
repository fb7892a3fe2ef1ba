"""banked_ram: memories of one bank and of several against a model, and how banks are cut."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.memory.banked_ram import banked_ram, latency, ports
from llama2_myhdl.rtl.memory.banks import REST, SMALLEST, banks
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from tb.memory.test_ram import compare, traffic
from tb.myhdl_sim import simulate
from tb.pipeline import apply

# depth, width: one bank; a rest of look-up tables; three banks and none; two banks of block RAMs
SHAPES = [(37, 33), (SMALLEST + 11, 40), (3 * SMALLEST, 70), (SMALLEST + REST + 1, 9)]


@pytest.mark.parametrize("spread", (False, True))
@pytest.mark.parametrize("depth, width", SHAPES)
def test_in_myhdl(depth, width, spread):
    vectors = traffic(depth, width)
    found = simulate(banked_ram, ports(depth, width, spread), vectors, ["rdata"], latency(depth, width, spread))
    compare([item["rdata"] for item in found], vectors)


@pytest.mark.parametrize("spread", (False, True))
@pytest.mark.parametrize("depth, width", SHAPES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_banked_ram(sim, depth, width, spread):
    parameters = dict(depth=depth, width=width, spread=spread)
    run(banked_ram, ports(**parameters), __name__, sim, parameters=parameters, tests=1)


@pytest.mark.parametrize("width", (1, 5, 64, 69, 128, 133, 512, 2048))
def test_banks(width):
    """Every bank but the last is a power of two, stands at a multiple of its size, and none is joined for nothing."""
    rng = random.Random(width)
    for depth in [1, REST, REST + 1, SMALLEST, SMALLEST + 1, *(rng.randrange(1, 1 << 22) for _ in range(300))]:
        sizes = banks(depth, width)
        assert sum(sizes) == depth
        assert sizes == sorted(sizes, reverse=True)
        for k, size in enumerate(sizes[:-1]):
            assert size & (size - 1) == 0 and sum(sizes[:k]) % size == 0
        last = 1 << (sizes[-1] - 1).bit_length()
        assert sum(sizes[:-1]) % last == 0
        assert len(sizes) == 1 or sizes[-2] >= SMALLEST
        assert sizes.count(sizes[0]) <= 32


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_traffic(dut):
    p = test_parameters()
    vectors = traffic(p["depth"], p["width"])
    found = await apply(dut, vectors, dict(rdata=False), latency(**p))
    compare([item["rdata"] for item in found], vectors)
