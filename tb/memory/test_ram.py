"""ram: every address, random traffic against a model, in MyHDL's simulation and in both simulators."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.memory.ram import LATENCY, ports, ram
from llama2_myhdl.rtl.stream.stream import uint
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from tb.myhdl_sim import simulate
from tb.pipeline import apply

# depth, width: a power of two, a depth between, one lane row of 256 int8
RANDOM = 500  # vectors of random traffic
SHAPES = [(16, 8), (37, 33), (8, 2048)]


def traffic(depth, width):
    """Vectors that write every address, then write and read at random, never one address in the same cycle."""
    rng = random.Random(depth)
    ones = (1 << width) - 1
    vectors = [dict(we=1, waddr=k, wdata=rng.choice([0, ones, rng.getrandbits(width)]), raddr=max(0, k - 1))
               for k in range(1, depth)]
    vectors.insert(0, dict(we=1, waddr=0, wdata=ones, raddr=1))
    for _ in range(RANDOM):
        write, read = rng.sample(range(depth), 2)
        vectors.append(dict(we=rng.randrange(2), waddr=write, wdata=rng.getrandbits(width), raddr=read))
    return vectors


def standing_still(vectors):
    """The same, and the read port stands still at random once every word is written."""
    rng, written = random.Random(2), len(vectors) - RANDOM
    return [vector | dict(load=int(k <= written or rng.random() < 0.6)) for k, vector in enumerate(vectors)]


def golden(vectors):
    """What the read port shows after each; None for a word that was not written yet."""
    words, reads, shown = {}, [], None
    for vector in vectors:
        if vector.get("load", 1):
            shown = words.get(vector["raddr"])
        reads.append(shown)
        if vector["we"]:
            words[vector["waddr"]] = vector["wdata"]
    return reads


def compare(found, vectors):
    expected = golden(vectors)
    wrong = [k for k, (f, e) in enumerate(zip(found, expected, strict=True)) if e is not None and f != e]
    assert not wrong, f"{len(wrong)} reads differ, first at vector {wrong[0]}"
    assert sum(e is not None for e in expected) == len(vectors) - 1


@pytest.mark.parametrize("depth, width", SHAPES)
def test_in_myhdl(depth, width):
    vectors = standing_still(traffic(depth, width))
    compare([item["rdata"] for item in simulate(ram, ports(depth, width), vectors, ["rdata"], LATENCY)], vectors)


@pytest.mark.parametrize("depth, width", SHAPES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_ram(sim, depth, width):
    run(ram, ports(depth, width), __name__, sim, parameters=dict(depth=depth, width=width), tests=1)


def test_comparison_can_fail():
    vectors = traffic(16, 8)
    found = [word or 0 for word in golden(vectors)]
    found[200] ^= 1
    with pytest.raises(AssertionError, match="1 reads differ, first at vector 200"):
        compare(found, vectors)


@pytest.mark.parametrize("change, message", [
    (dict(DEPTH=17), "DEPTH is 1 to 16 for these addresses, not 17"),
    (dict(rdata=uint(9)), "wdata has 8 bits and rdata 9"),
    (dict(STYLE="huge"), "STYLE is auto, block, distributed or ultra, not huge"),
])
def test_bad_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        ram(**(ports(16, 8) | change))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_traffic(dut):
    p = test_parameters()
    vectors = standing_still(traffic(p["depth"], p["width"]))
    found = await apply(dut, vectors, dict(rdata=False), LATENCY)
    compare([item["rdata"] for item in found], vectors)
