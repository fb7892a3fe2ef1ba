"""place against sorting: the first one and one behind it, ties, empty places, costs back to back, turns, clears."""
import random

import cocotb
import pytest

from llama2_myhdl.rtl.sampling.place import place, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.sampling import COST_BITS
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.sampling.script import Script

OUTPUTS = dict(m_u=True, m_token=False, m_taken=False, m_gives=False, next_turn=False, shown=False)
TOKEN_BITS = 9
LOW, HIGH = -(1 << COST_BITS - 1), (1 << COST_BITS - 1) - 1
CYCLES = 4000
COMPARED = {False: 17414, True: 19386}  # by FIRST


def entry(rng, most=HIGH):
    """A cost, at an edge or anywhere, and a token."""
    edges = [edge for edge in (LOW, LOW + 1, -1, 0, 1, HIGH - 1, HIGH) if edge <= most]
    return rng.choice([*edges, most, rng.randint(LOW, most)]), rng.getrandbits(TOKEN_BITS)


def script(FIRST):
    """A row of two places as plain lists; the second one is tested (or, as the FIRST, the only one).

    Every cycle a cost may come, which enters in the next one. The script sorts; the place must do the same.
    """
    rng, made, row, coming = random.Random(36 + FIRST), Script(), [], None  # coming: entered in this cycle
    places = 1 if FIRST else 2
    ahead = None  # what entered in the last cycle
    compared = False  # with the row as it was when `coming` was new: does the place before find it cheaper?

    def cheaper(cost, place):
        return place >= len(row) or cost < row[place][0]

    def step(clear, comes, turn):
        nonlocal row, coming, ahead, compared
        fresh = entry(rng)
        new = coming or entry(rng)
        before = row[0] if not FIRST and row else entry(rng)
        gives_before = int(not FIRST and coming is not None and cheaper(coming[0], 0))
        cycle = made.cycle(clear=clear, u=fresh[0], enters=int(coming is not None), new_u=new[0], new_token=new[1],
                           newer=int(bool(coming and ahead and coming[0] < ahead[0])), before_u=before[0],
                           before_token=before[1], before_taken=int(not FIRST and bool(row)),
                           before_cheaper=int(compared), before_gives=gives_before, turn=turn)
        held = row[places - 1] if len(row) >= places else None
        compared = not FIRST and cheaper(fresh[0], 0)
        if coming:
            gives = cheaper(coming[0], places - 1)
            made.expect(cycle, m_gives=int(gives))
            made.seen["tie" if held and held[0] == coming[0] else "gives" if gives else "keeps", ahead is not None] += 1
            row = sorted([*row, coming], key=lambda one: one[0])[:places]
        behind = row[places - 1] if len(row) >= places else None
        shown = behind if FIRST else held
        if not turn:
            made.expect(cycle, shown=0)
        elif shown:
            made.expect(cycle, shown=shown[1] << COST_BITS | shown[0] & (1 << COST_BITS) - 1)
        made.expect(cycle + 1, next_turn=int(turn and not clear))
        if clear:
            row = []
        made.expect(cycle + 1, m_taken=int(len(row) >= places))
        if len(row) >= places:
            made.expect(cycle + 1, m_u=row[places - 1][0], m_token=row[places - 1][1])
        ahead, coming = (None, None) if clear else (coming, fresh if comes else None)

    step(1, 1, 0)
    for _ in range(CYCLES):
        step(int(rng.random() < 0.2), int(rng.random() < 0.8), int(rng.random() < 0.3))
    made.cycle(**made.inputs[-1])
    assert len(made.seen) == 6 and min(made.seen.values()) > 20, made.seen
    return made


@pytest.mark.parametrize("FIRST", [False, True])
def test_place_myhdl(FIRST):
    made = script(FIRST)
    assert made.compare(simulate(place, ports(TOKEN_BITS, FIRST), made.inputs, OUTPUTS, 0)) == COMPARED[FIRST]


@pytest.mark.parametrize("FIRST", [False, True])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_place(sim, FIRST):
    run(place, ports(TOKEN_BITS, FIRST), __name__, sim, parameters=dict(FIRST=FIRST), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_cycles(dut):
    FIRST = test_parameters()["FIRST"]
    made = script(FIRST)
    found = await apply(dut, made.inputs, OUTPUTS, 0)
    assert made.compare(found) == COMPARED[FIRST]
    with pytest.raises(AssertionError):
        made.compare(found[1:])  # one cycle off is seen
