"""The whole decoder as a netlist tells a story: a random model's, which the integer model tells too."""

import pytest

from llama2_myhdl.sim.jobs import Job, run_group
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.sim.session import TOKEN_FIELDS, Session
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.syn.netlist import HARD, Netlist
from llama2_myhdl.weights.tape import write_tape
from tb.decoder.loop_model import sequence
from tb.sim.models import random_model

pytestmark = [pytest.mark.syn, pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator runs it")]

SMALL = preset("small")
JOBS = [Job([5, 9, 77], 8), Job([3], 5, score=False)]


def test_a_netlist_tells_the_story(tmp_path):
    """Every field of every token beat of two sequences, one of them with a prompt that is not scored."""
    golden, tape = random_model(42, SMALL.build, SMALL.shape, shared=False)
    write_tape(tmp_path / "model.tape", tape)
    jobs, tokens = [Job(**(vars(JOBS[0]) | dict(tape=tmp_path / "model.tape"))), *JOBS[1:]], []
    with Session(SMALL.build, through=Netlist(HARD)) as session:
        for job in jobs:
            (outcome,) = run_group(session, [job], lambda beat, rows, cycles: None)
            found = [{name: beat[name] for name in TOKEN_FIELDS} for beat in outcome.tokens]
            assert found == [beat for _, beat in sequence(golden, job)]
            tokens += [beat["token"] for beat in found]
    assert len(tokens) == sum(job.steps for job in jobs) and len(set(tokens)) > 9
