"""place against the order of costs: entrants that are new or ousted, ties, empty places, turns, clears at random."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.sampling.place import place, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.sampling import COST_BITS
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.sampling.script import Script

OUTPUTS = dict(leaves=False, m_u=True, m_token=False, m_ousted=False, next_turn=False, shown=False)
TOKEN_BITS = 9
LOW, HIGH = -(1 << COST_BITS - 1), (1 << COST_BITS - 1) - 1
CYCLES = 4000
COMPARED = 19293
OUSTED, HELD, NEW = range(3)  # the order of equal costs


def script():
    """Every cycle anything may happen; a place is judged by (cost, order of equal ones)."""
    rng, made, held = random.Random(36), Script(), None

    def step(clear, arrives, turn):
        nonlocal held
        u = rng.choice([LOW, LOW + 1, -1, 0, 1, HIGH - 1, HIGH, rng.randint(LOW, HIGH)])
        token, ousted = rng.getrandbits(TOKEN_BITS), rng.getrandbits(1)
        cycle = made.cycle(clear=clear, arrives=arrives, s_u=u, s_token=token, s_ousted=ousted, turn=turn)
        if not turn:
            made.expect(cycle, shown=0)
        elif held:
            made.expect(cycle, shown=held[2] << COST_BITS | held[0] & (1 << COST_BITS) - 1)
        made.expect(cycle + 1, next_turn=int(turn and not clear))
        if clear:
            held = None
            made.expect(cycle + 1, leaves=0)
            return
        here = [entry for entry in (held, (u, OUSTED if ousted else NEW, token) if arrives else None) if entry]
        here.sort()
        made.expect(cycle + 1, leaves=int(len(here) == 2))
        if len(here) == 2:
            (kept, *_), (leaving, order, its) = here
            made.expect(cycle + 1, m_u=leaving, m_token=its, m_ousted=int(order == HELD or bool(ousted)))
            made.seen[kept == leaving, bool(ousted)] += 1
        held = (here[0][0], HELD, here[0][2]) if here else None

    step(1, 1, 0)
    for _ in range(CYCLES):
        step(int(rng.random() < 0.05), int(rng.random() < 0.7), int(rng.random() < 0.3))
    made.cycle(**made.inputs[-1])
    assert all(made.seen[tie, ousted] > 50 for tie in (False, True) for ousted in (False, True))
    return made


def test_place_myhdl():
    made = script()
    assert made.compare(simulate(place, ports(TOKEN_BITS), made.inputs, OUTPUTS, 0)) == COMPARED


@pytest.mark.parametrize("sim", SIMULATORS)
def test_place(sim):
    run(place, ports(TOKEN_BITS), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_cycles(dut):
    made = script()
    found = await apply(dut, made.inputs, OUTPUTS, 0)
    assert made.compare(found) == COMPARED
    with pytest.raises(AssertionError):
        made.compare(found[1:])  # one cycle off is seen
