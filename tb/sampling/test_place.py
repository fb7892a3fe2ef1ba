"""place against the order of costs: what is new or was held before, ties, empty places, turns, clears at random."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.sampling.place import place, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.sampling import COST_BITS
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.sampling.script import Script

OUTPUTS = dict(m_u=True, m_token=False, m_taken=False, m_new_u=True, m_new_token=False, m_arrives=False, m_enters=False,
               next_turn=False, shown=False)
TOKEN_BITS = 9
LOW, HIGH = -(1 << COST_BITS - 1), (1 << COST_BITS - 1) - 1
CYCLES = 4000
COMPARED = 31376


def script():
    """Every cycle anything may happen; the place before holds what is as cheap as all here, at times hands it on.

    The script knows what is held and what arrives as (cost, token), and where what arrives is to go.
    """
    rng, made, held, arriving, enters = random.Random(36), Script(), None, None, False

    def entry(most=HIGH):
        edges = [edge for edge in (LOW, LOW + 1, -1, 0, 1, HIGH - 1, HIGH) if edge <= most]
        return rng.choice([*edges, most, rng.randint(LOW, most)]), rng.getrandbits(TOKEN_BITS)

    def step(clear, turn):
        nonlocal held, arriving, enters
        behind = arriving if enters else held
        here = [one[0] for one in (behind, arriving, held) if one]
        ahead, new = entry(min(here, default=HIGH)), entry()
        taken, arrives, ousts = rng.random() < 0.7, rng.random() < 0.7, rng.random() < 0.5
        cycle = made.cycle(clear=clear, turn=turn, before_u=ahead[0], before_token=ahead[1], before_taken=int(taken),
                           before_new_u=new[0], before_new_token=new[1], before_arrives=int(arrives),
                           before_enters=int(arrives and ousts))
        if not turn:
            made.expect(cycle, shown=0)
        elif behind:
            made.expect(cycle, shown=behind[1] << COST_BITS | behind[0] & (1 << COST_BITS) - 1)
        made.expect(cycle + 1, next_turn=int(turn and not clear))
        held = None if clear else behind
        ousted = ahead if taken and ousts else None
        arriving = (ousted if ousts else new) if arrives and not clear else None
        enters = arriving is not None and (ousted is not None or held is None or arriving[0] < held[0])
        made.expect(cycle + 1, m_taken=int(held is not None), m_arrives=int(arriving is not None), m_enters=int(enters))
        if held:
            made.expect(cycle + 1, m_u=held[0], m_token=held[1])
        if arriving:
            made.expect(cycle + 1, m_new_u=arriving[0], m_new_token=arriving[1])
        if held and arriving:
            made.seen[ousted is not None, enters, held[0] == arriving[0]] += 1

    step(1, 0)
    for _ in range(CYCLES):
        step(int(rng.random() < 0.05), int(rng.random() < 0.3))
    made.cycle(**made.inputs[-1])
    cases = [(True, True, True), (True, True, False), (False, True, False), (False, False, True), (False, False, False)]
    assert sorted(made.seen) == sorted(cases) and min(made.seen.values()) > 50, made.seen
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
