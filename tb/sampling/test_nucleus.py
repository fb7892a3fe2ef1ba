"""nucleus against golden.fixed.sampler: what top-p and min-p leave of lists of all lengths, by rank and by target."""
import random

import cocotb
import numpy as np
import pytest

from llama2_myhdl.golden.fixed.sampler import candidates, vocabulary_walk, walk
from llama2_myhdl.rtl.sampling.mass import LATENCY as SUMMED
from llama2_myhdl.rtl.sampling.mass import SHARE_LATENCY as SHARED
from llama2_myhdl.rtl.sampling.nucleus import CHOOSING, LATENCY, nucleus, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.sampling import COST_BITS, COST_FRAC, FLOOR_BITS, FLOOR_OFF, P_OFF, SUM_BITS, Registers
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.sampling.script import Script

OUTPUTS = dict(chosen=False, beyond=False)
CHOICE_BITS = 46
LOW, HIGH = -(1 << COST_BITS - 1), (1 << COST_BITS - 1) - 1
LISTS = {2: 1200, 64: 800}  # by ENTRIES
ONE = 1 << COST_FRAC


def vocabulary(rng, entries):
    """Costs of any kind: near each other, as a model's, anywhere, ties, all equal, the ends of the range."""
    length = rng.choice([1, 2, 3, entries - 1, entries, entries + 1, 2 * entries])
    kind, base = rng.randrange(6), rng.choice([0, -(1 << 30), 1 << 30])
    if kind == 0:
        return [base + rng.randrange(ONE // 4) for _ in range(length)]
    if kind == 1:
        return [base + int(rng.gauss(0, 4) * ONE) for _ in range(length)]
    if kind == 2:
        return [rng.randint(LOW, HIGH) for _ in range(length)]
    if kind == 3:
        return [base + rng.randrange(3) * ONE for _ in range(length)]
    if kind == 4:
        return [base] * length
    return [rng.choice([LOW, LOW + ONE, HIGH]) for _ in range(length)]


def any_settings(rng, entries):
    """What is cut off; scale and shift are those at which a cost is the logit but for its sign."""
    return Registers(
        greedy=0,
        scale=0,
        shift=16,
        k=rng.choice([0, 0, 1, 2, entries - 1, entries, rng.randint(1, entries)]),
        p=rng.choice([0, 1, P_OFF - 1, P_OFF, P_OFF, rng.randrange(P_OFF), P_OFF // 2, int(P_OFF * 0.9)]),
        floor=rng.choice([0, FLOOR_OFF - 1, FLOOR_OFF, FLOOR_OFF, rng.getrandbits(FLOOR_BITS), rng.randrange(ONE)]),
        seed=0,
    )


def kept(entry, costs, target, registers):
    """(entries that are left, whether those are all and might be more), from a walk over the list."""
    most = len(costs)
    reached = np.flatnonzero(entry.total >= target)
    nucleus_ = int(reached[0]) + 1 if reached.size and registers.p < P_OFF else most
    near = most if registers.floor == FLOOR_OFF else int(np.count_nonzero(costs - costs[0] <= registers.floor))
    beyond = registers.k == 0 and near == most and (registers.p == P_OFF or not reached.size)
    return min(nucleus_, near), beyond


class NucleusScript(Script):
    """Lists one after the other, with the totals and shares that `mass` has of them, when it has them."""

    def __init__(self, entries):
        super().__init__()
        self.rng, self.entries = random.Random(entries), entries

    def list(self):
        """A list of a vocabulary, and cycles in which anything stands on what is not looked at."""
        rng = self.rng
        costs, registers = np.array(vocabulary(rng, self.entries)), any_settings(rng, self.entries)
        everything = vocabulary_walk(costs, registers.p)
        listed = np.sort(costs)[:registers.k or self.entries][:self.entries]
        entry = walk(listed, None, None, registers.p, int(everything.block[-1]))
        target = int(entry.share[-1]) if registers.k else int(everything.share[-1])
        left, beyond = kept(entry, listed, target, registers)
        self.seen["just reached"] += registers.p < P_OFF and target in entry.total
        if not registers.whole:
            golden, _, overflow = candidates(-costs, registers, self.entries)
            assert left == len(golden.token) and (beyond and len(costs) > self.entries) == overflow
        choices = [rng.getrandbits(CHOICE_BITS) for _ in listed]
        first, most = self.now, len(listed)
        for c in range(most + LATENCY + rng.choice([0, 0, 1, 9])):
            self.cycle(
                valid=int(c < most),
                first=int(c == 0) if c < most else rng.getrandbits(1),
                u=int(listed[c]) if c < most else rng.randint(LOW, HIGH),
                total=self.at(entry.total, c - SUMMED, True),
                share=self.at(entry.share, c - SHARED, True),
                choice=self.at(choices, c - CHOOSING, False),
                target=rng.getrandbits(SUM_BITS) if registers.k else target,
                by_rank=int(registers.k != 0),
                p=registers.p,
                floor=registers.floor,
            )
        self.expect(first + most - 1 + LATENCY, chosen=choices[left - 1], beyond=int(beyond))
        self.count(listed, registers, most, left, beyond)

    def at(self, values, k, stays):
        """The k-th value, anything ahead of the first, and behind the last one that or anything."""
        if k < 0 or k >= len(values) and not stays:
            return self.rng.getrandbits(CHOICE_BITS)
        return int(values[min(k, len(values) - 1)])

    def count(self, listed, registers, most, left, beyond):
        near = listed - listed[0] <= registers.floor
        self.seen["beyond"] += beyond
        self.seen["one of many"] += left == 1 < most
        self.seen["all of many"] += left == most > 1
        self.seen["floor"] += registers.floor < FLOOR_OFF and left == int(near.sum()) < most
        by = "by rank" if registers.k else "by target"
        self.seen[by] += registers.p < P_OFF and left < most and bool(near[left])


def script(entries):
    made = NucleusScript(entries)
    for _ in range(LISTS[entries]):
        made.list()
    made.cycle(**made.inputs[-1])
    cases = "beyond", "one of many", "all of many", "floor", "by rank", "by target", "just reached"
    assert all(made.seen[case] > 10 for case in cases), made.seen
    return made


@pytest.mark.parametrize("entries", LISTS)
def test_nucleus_myhdl(entries):
    made = script(entries)
    found = simulate(nucleus, ports(CHOICE_BITS, entries), made.inputs, OUTPUTS, 0)
    assert made.compare(found) == 2 * LISTS[entries]


@pytest.mark.parametrize("entries", LISTS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_nucleus(sim, entries):
    run(nucleus, ports(CHOICE_BITS, entries), __name__, sim, parameters=dict(entries=entries), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_cycles(dut):
    entries = test_parameters()["entries"]
    made = script(entries)
    found = await apply(dut, made.inputs, OUTPUTS, 0)
    assert made.compare(found) == 2 * LISTS[entries]
    with pytest.raises(AssertionError):
        made.compare(found[1:])  # one cycle off is seen
