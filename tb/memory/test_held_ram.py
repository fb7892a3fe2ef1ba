"""held_ram against a model: every word written and read, with the read port standing still at random."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.memory.held_ram import LATENCY, held_ram, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.myhdl_sim import simulate
from tb.pipeline import apply

DEPTH, BITS = 12, 9


def traffic():
    """Vectors, and what rdata shows LATENCY cycles after each; all words are written before the first read."""
    rng = random.Random(1)
    words, shown, rows, wanted = [None] * DEPTH, None, [], []
    for k in range(600):
        waddr, raddr = (k, 0) if k < DEPTH else rng.sample(range(DEPTH), 2)
        we, load = int(k < DEPTH or rng.random() < 0.5), int(k > DEPTH and (k == DEPTH + 1 or rng.random() < 0.6))
        value = rng.randrange(1 << BITS)
        rows.append(dict(we=we, waddr=waddr, wdata=value, load=load, raddr=raddr))
        if load:
            shown = words[raddr]
        if we:
            words[waddr] = value
        wanted.append(shown)
    return rows, wanted


def compare(found):
    pairs = [(row["rdata"], value) for row, value in zip(found, traffic()[1]) if value is not None]
    assert all(a == b for a, b in pairs)
    return len(pairs)


def test_held_ram_myhdl():
    assert compare(simulate(held_ram, ports(DEPTH, BITS), traffic()[0], ["rdata"], LATENCY)) == 600 - DEPTH - 1


@pytest.mark.parametrize("sim", SIMULATORS)
def test_held_ram(sim):
    run(held_ram, ports(DEPTH, BITS), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def holds_and_reads(dut):
    found = await apply(dut, traffic()[0], dict(rdata=False), LATENCY)
    assert compare(found) == 600 - DEPTH - 1
    with pytest.raises(AssertionError):
        compare(found[1:])
