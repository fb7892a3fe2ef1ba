"""mass against golden.fixed.sampler.walk: passes of all kinds, walks with their reference behind them, idle cycles."""
import random

import cocotb
import numpy as np
import pytest

from llama2_myhdl.golden.fixed.sampler import MAX_SHIFT, walk
from llama2_myhdl.rtl.sampling.mass import CLEAR, LATENCY, SHARE_LATENCY, mass, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.sampling import BLOCK_BITS, COST_BITS, COST_FRAC, P_OFF
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.sampling.script import Script

OUTPUTS = dict(counts=False, total=False, mantissa=False, distance=False, share=False, origin=True)
BLOCK = 1 << BLOCK_BITS + COST_FRAC
LOW, HIGH = -(1 << COST_BITS - 1), (1 << COST_BITS - 1) - 1
PASSES = 400
COMPARED = 44548


def passes(rng, number):
    """Costs of a pass: around 0, anywhere, falling by a block or more at a time, rising far, equal, edges of blocks."""
    length = rng.choice([1, 2, 3, 8, 20])
    kind = number % 7
    if kind == 0:
        return [rng.randrange(-2 * BLOCK, 2 * BLOCK) for _ in range(length)]
    if kind == 1:
        return [rng.choice([LOW, HIGH, 0, rng.randint(LOW, HIGH)]) for _ in range(length)]
    if kind == 2:  # by 0 to 6 blocks
        falls = [rng.randrange(7) * BLOCK + rng.randrange(BLOCK) for _ in range(length)]
        return [100 * BLOCK - sum(falls[:k + 1]) for k in range(length)]
    if kind == 3:  # by exactly so many blocks, one after the other; of the larger sum 3 blocks leave something
        first, step = rng.randrange(-50, 50), rng.randrange(1, 6)
        return [first * BLOCK] * rng.choice([5, 40]) + [(first - step * k) * BLOCK for k in range(1, 5)]
    if kind == 4:
        return [rng.randrange(BLOCK) + k * rng.randrange(BLOCK) for k in range(length)]
    if kind == 5:
        return [rng.randint(LOW, HIGH)] * length
    return [rng.randrange(-4, 5) * BLOCK + rng.choice([-1, 0, 1]) for _ in range(length)]


class MassScript(Script):
    """Keeps the sums of the last cost, which stay."""

    def __init__(self, rng):
        super().__init__()
        self.rng, self.p, self.held, self.kept = rng, P_OFF, {}, {}

    def idle(self, cycles, **pins):
        """Nothing counts, whatever stands on the other pins; what there was stays."""
        for _ in range(cycles):
            given = dict(first=self.rng.getrandbits(1), fixed=self.rng.getrandbits(1), u=self.rng.randint(LOW, HIGH))
            cycle = self.cycle(**(dict(rst=0, valid=0, p=self.p) | given | pins))
            self.expect(cycle + LATENCY, counts=0, **self.held)
            self.expect(cycle + SHARE_LATENCY, **self.kept)

    def run(self, costs, block=None, pause=0.0):
        """A pass, or with a block as reference a walk; that of the last cost."""
        golden = walk(np.array(costs), None, None, self.p, block)
        for k, u in enumerate(costs):
            while k and self.rng.random() < pause:
                self.idle(1)
            cycle = self.cycle(rst=0, valid=1, first=int(k == 0), fixed=int(block is not None), u=u, p=self.p)
            n = int(golden.n[k])
            self.held = dict(total=int(golden.total[k]))
            self.kept = dict(share=int(golden.share[k]))
            self.expect(cycle + 1, origin=int(golden.block[k]))
            self.expect(cycle + LATENCY, counts=1, mantissa=int(golden.mantissa[k]), distance=min(n, MAX_SHIFT),
                        **self.held)
            self.expect(cycle + SHARE_LATENCY, **self.kept)
            self.seen["far"] += n > MAX_SHIFT
            if k:
                fall = int(golden.block[k - 1]) - int(golden.block[k])
                self.seen[f"falls by {min(fall, CLEAR)}"] += 1
        return int(golden.block[-1])


def script():
    rng = random.Random(44)
    made = MassScript(rng)
    made.idle(1, rst=1)
    for number in range(PASSES):
        if number % 5 == 0:  # p stands still
            made.idle(LATENCY)
            made.p = rng.choice([0, 1, P_OFF - 1, P_OFF, rng.randrange(P_OFF)])
        costs = passes(rng, number)
        block = made.run(costs, pause=rng.choice([0, 0, 0.4]))
        made.idle(rng.choice([0, 0, 1, LATENCY]))
        for _ in range(rng.randrange(3)):
            made.run(sorted(rng.sample(costs, rng.randint(1, len(costs)))), block)
            made.seen["walks"] += 1
            made.idle(rng.choice([0, 1, 4]))
        if number % 50 == 49:  # forgets what is under way
            made.forget()
            made.held, made.kept = {}, {}
            made.idle(1, rst=1, valid=1)
            made.expect(made.now, counts=0)
            made.idle(LATENCY)
    made.idle(SHARE_LATENCY)
    made.inputs += made.inputs[-1:] * SHARE_LATENCY
    assert all(made.seen[f"falls by {blocks}"] > 50 for blocks in range(CLEAR + 1))
    assert made.seen["far"] > 200 and made.seen["walks"] > PASSES // 2
    return made


def test_mass_myhdl():
    made = script()
    assert made.compare(simulate(mass, ports(), made.inputs, OUTPUTS, 0)) == COMPARED


@pytest.mark.parametrize("sim", SIMULATORS)
def test_mass(sim):
    run(mass, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_cycles(dut):
    made = script()
    found = await apply(dut, made.inputs, OUTPUTS, 0)
    assert made.compare(found) == COMPARED
    with pytest.raises(AssertionError):
        made.compare(found[1:])  # one cycle off is seen
