"""shortlist against a stable sort: ties, few costs and many, costs behind a show, clears in the midst of all."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.sampling.shortlist import LATENCY, READ_LATENCY, ports, shortlist
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.sampling import COST_BITS
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.sampling.script import Script

OUTPUTS = dict(entry_u=True, entry_token=False)
TOKEN_BITS = 9
LOW, HIGH = -(1 << COST_BITS - 1), (1 << COST_BITS - 1) - 1
COMPARED = {2: 3026, 5: 2028, 64: 6652}  # by ENTRIES
LISTS = {2: 800, 5: 300, 64: 120}
SIZES = 2, 64  # in Verilog; MyHDL would take long for many places


def costs(rng, length):
    """Of any kind: anywhere, ties, rising, falling, equal, at the ends of the range."""
    kind = rng.randrange(6)
    if kind == 0:
        return [rng.randint(LOW, HIGH) for _ in range(length)]
    if kind == 1:
        return [rng.randrange(-2, 3) for _ in range(length)]
    if kind == 2:
        return sorted(rng.randrange(-length, length) for _ in range(length))
    if kind == 3:
        return sorted((rng.randrange(-length, length) for _ in range(length)), reverse=True)
    if kind == 4:
        return [rng.randint(LOW, HIGH)] * length
    return [rng.choice([LOW, LOW + 1, HIGH - 1, HIGH]) for _ in range(length)]


class ShortlistScript(Script):
    """Knows what has been taken, and since when the last show runs (None: no more)."""

    def __init__(self, rng, entries):
        super().__init__()
        self.rng, self.entries, self.taken, self.showing = rng, entries, [], None

    def step(self, clear=0, cost=None, show=0):
        """A cycle. A show is of what was taken before it, and a clear leaves of it what its turn has reached."""
        u = self.rng.randint(LOW, HIGH) if cost is None else cost
        token = self.rng.getrandbits(TOKEN_BITS)
        cycle = self.cycle(clear=clear, take=int(cost is not None), u=u, token=token, show=show)
        if show:
            self.showing = cycle
            for k, (entry_u, entry_token) in enumerate(sorted(self.taken, key=lambda entry: entry[0])[:self.entries]):
                self.expect(cycle + READ_LATENCY + k, entry_u=entry_u, entry_token=entry_token)
        if clear:
            for later in [later for later in self.wanted if later > cycle + READ_LATENCY]:
                self.seen["ended"] += 1
                del self.wanted[later]
            self.taken, self.showing = [], None
        elif cost is not None:
            self.taken.append((u, token))

    def show(self):
        """As soon as it may be: LATENCY cycles after the last cost, a show's entries after the last show."""
        while self.showing is not None and self.now < self.showing + self.entries:
            self.step()
        self.step(show=1)
        self.seen["few" if len(self.taken) < self.entries else "many"] += 1


def script(entries):
    rng = random.Random(entries)
    made = ShortlistScript(rng, entries)
    lengths = [0, 1, 2, 3, entries - 1, entries, entries + 1, 2 * entries]
    for _ in range(LISTS[entries]):
        # now and then the one before is still shown, or moving, and what comes with it is lost
        made.step(clear=1, cost=rng.choice([None, LOW]), show=rng.choice([0, 0, 1]) if made.showing is None else 0)
        for u in costs(rng, rng.choice(lengths)):
            while rng.random() < 0.2:
                made.step()
            made.step(cost=u)
        if rng.random() < 0.15:  # cleared while entries move
            made.seen["moving"] += 1
            continue
        for _ in range(LATENCY - 1 + rng.choice([0, 0, 1, entries])):
            made.step()
        made.show()
        more = costs(rng, rng.choice([0, 0, 1, entries]))
        while more and made.now < made.showing + entries:
            made.step()
        for u in more:  # behind the show
            made.step(cost=u)
            made.seen["behind"] += 1
        if rng.random() < 0.4:
            made.show()
        for _ in range(rng.choice([0, 0, 1, entries // 2, entries])):
            made.step()
    for _ in range(entries + READ_LATENCY):
        made.step()
    assert all(made.seen[case] > 10 for case in ("few", "many", "moving", "behind", "ended")), made.seen
    return made


@pytest.mark.parametrize("entries", [2, 5])
def test_shortlist_myhdl(entries):
    made = script(entries)
    found = simulate(shortlist, ports(TOKEN_BITS, entries), made.inputs, OUTPUTS, 0)
    assert made.compare(found) == COMPARED[entries]


@pytest.mark.long_runs
@pytest.mark.parametrize("entries", SIZES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_shortlist(sim, entries):
    run(shortlist, ports(TOKEN_BITS, entries), __name__, sim, parameters=dict(entries=entries), tests=1)


def test_one_entry_is_refused():
    with pytest.raises(ValueError, match="ENTRIES must be 2 or more, is 1"):
        shortlist(**ports(TOKEN_BITS, 1))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_cycles(dut):
    entries = test_parameters()["entries"]
    made = script(entries)
    found = await apply(dut, made.inputs, OUTPUTS, 0)
    assert made.compare(found) == COMPARED[entries]
    with pytest.raises(AssertionError):
        made.compare(found[1:])  # one cycle off is seen
