"""threefry against the published answers and golden.fixed.threefry: keys, positions, items, and cycles that hold."""
import random

import cocotb
import pytest

from llama2_myhdl.golden.fixed.threefry import threefry2x32
from llama2_myhdl.rtl.sampling.threefry import LATENCY, SET_UP, ports, threefry
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.golden.test_threefry import ALL, KNOWN
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.sampling.script import Script

OUTPUTS = dict(x0=False, x1=False)
COMPARED = 2718


def streams(rng):
    """(key, position, items) of one stream after the other: the published ones among edges and random numbers."""
    edges = 0, 1, 1 << 31, ALL - 1, ALL
    for key, (item, position), _ in KNOWN:
        yield key, position, [item, *edges, item]
    for position in edges:
        yield (rng.choice(edges), rng.choice(edges)), position, edges
    for _ in range(10):
        key, first = (rng.getrandbits(32), rng.getrandbits(32)), rng.choice([0, ALL - 20, rng.getrandbits(32)])
        yield key, rng.getrandbits(32), [first + k & ALL for k in range(100)]


def script():
    """The pipeline drains between streams, and what it holds then has no key of its own."""
    rng, made, passed = random.Random(20), Script(), [None] * LATENCY

    def step(key, position, item, answer, move):
        cycle = made.cycle(move=int(move), key=key[1] << 32 | key[0], position=position, item=item)
        if passed[-LATENCY] is not None:
            x0, x1 = passed[-LATENCY]
            made.expect(cycle, x0=x0, x1=x1)
        if move:
            passed.append(answer)

    for number, (key, position, items) in enumerate(streams(rng)):
        answers = list(zip(*(words.tolist() for words in threefry2x32(key, (items, position)))))
        pause = 0 if number % 2 else 0.4
        for _ in range(SET_UP):
            step(key, position, rng.getrandbits(32), None, rng.random() < 0.5)
        for item, answer in zip(items, answers):
            while rng.random() < pause:
                step(key, position, rng.getrandbits(32), None, False)
                made.seen["held"] += 1
            step(key, position, item, answer, True)
        for _ in range(LATENCY - 1):
            step(key, position, rng.getrandbits(32), None, True)
        made.seen.update(answer for answer in answers)
    step((0, 0), 0, 0, None, False)
    assert all(made.seen[answer] >= 2 for _, _, answer in KNOWN) and made.seen["held"] > 300
    return made


def test_threefry_myhdl():
    made = script()
    assert made.compare(simulate(threefry, ports(), made.inputs, OUTPUTS, 0)) == COMPARED


@pytest.mark.parametrize("sim", SIMULATORS)
def test_threefry(sim):
    run(threefry, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_cycles(dut):
    made = script()
    found = await apply(dut, made.inputs, OUTPUTS, 0)
    assert made.compare(found) == COMPARED
    with pytest.raises(AssertionError):
        made.compare(found[1:])  # one cycle off is seen
