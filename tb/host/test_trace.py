"""The cycle table of a simulated decoder: whole, in order, and its busy cycles are those that the model needs."""

import pytest

from llama2_myhdl.host.timing import cut
from llama2_myhdl.host.trace import header, line
from llama2_myhdl.sim.jobs import Job, run
from llama2_myhdl.sim.trace import Spans
from llama2_myhdl.spec.causes import CAUSES
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.weights.tape import write_tape
from tb.sim.models import random_model
from tb.sim.simulators import SESSIONS

SHAPE, BUILD = preset("nano").shape, preset("nano").build
TOKENS = 3
MATRICES = ["Wk", "Wq", "Wv", "Wo", "W1 W3", "W2"]

pytestmark = pytest.mark.long_runs(0)  # tb/sim/test_session.py holds the table of Icarus against that of Verilator


@pytest.fixture(scope="module", params=SESSIONS)
def sim(request):
    return request.param


@pytest.fixture(scope="module")
def outcome(sim, tmp_path_factory):
    """Some tokens of a random model."""
    tape = tmp_path_factory.mktemp("trace") / "nano.tape"
    write_tape(tape, random_model(3, BUILD, SHAPE)[1])
    (found,) = run(BUILD, sim, [Job(list(range(3, 3 + TOKENS)), TOKENS, tape, trace=True)])
    return found


@pytest.fixture
def rows(outcome):
    """Rows of the cycle table."""
    return outcome.trace


def test_rows_follow_one_another(rows):
    assert [a["cycle"] + a["cycles"] for a in rows[:-1]] == [b["cycle"] for b in rows[1:]]


def test_rows_lie_between_start_and_last_beat(outcome, rows):
    """In the decoder's own cycles; the tokens' beats are in them."""
    assert outcome.start["cycles"] <= rows[0]["cycle"]
    assert rows[-1]["cycle"] <= outcome.tokens[-1]["cycles"]
    for beat in outcome.tokens[:-1]:
        assert any(row["cycle"] <= beat["cycles"] < row["cycle"] + row["cycles"] for row in rows)


def test_every_layer_has_its_matrices_in_order(rows):
    for pos in range(TOKENS - 1):
        seen = [(row["layer"], row["stage"]) for row in rows if row["pos"] == pos and row["stage"] in MATRICES]
        once = [pair for k, pair in enumerate(seen) if k == 0 or seen[k - 1] != pair]
        assert once == [(layer, stage) for layer in range(SHAPE.n_layers) for stage in MATRICES]


def test_every_cycle_has_the_cause_that_the_hardware_counts(outcome, rows):
    """Idle ones too, but for those that the host spends on reading the counters."""
    assert all(sum(row["causes"].values()) == row["cycles"] for row in rows)
    for cause in CAUSES:
        found = sum(row["causes"].get(cause, 0) for row in rows)
        assert found <= outcome.counted(cause) and (found == outcome.counted(cause) or cause == "idle")


def test_the_matvec_is_busy_for_every_weight_beat(rows):
    for pos in range(TOKENS):
        beats = sum(row["busy"]["matvec"] for row in rows if row["pos"] == pos)
        assert beats == SHAPE.beats(BUILD.lanes)


def test_spans_lie_in_their_row_and_add_up_to_the_count(rows):
    checked = 0
    for row in rows:
        for unit, runs in row["spans"].items():
            assert sum(length for _, length in runs) == row["busy"][unit]
            assert runs[0][0] >= row["cycle"] and sum(runs[-1]) <= row["cycle"] + row["cycles"]
            assert all(sum(a) < b[0] for a, b in zip(runs, runs[1:]))
            checked += 1
    assert checked > TOKENS * SHAPE.n_layers * len(MATRICES)


def test_the_timing_picture_takes_a_layer_from_it(rows):
    layer = cut([row for row in rows if row["pos"] == 1], 1)
    seen = [stage for stage, _, _ in layer.stages if stage in MATRICES]  # a matrix may wait in its midst
    assert [stage for k, stage in enumerate(seen) if k == 0 or seen[k - 1] != stage] == MATRICES
    assert layer.stages[0][:2] == ("Wk", 0)


def test_runs_join_only_neighbours():
    spans = Spans()
    for cycle in (3, 4, 5, 7, 9, 10):
        spans.add(cycle)
    assert spans.runs == [[3, 3], [7, 1], [9, 2]] and spans.count() == 6


def test_a_run_of_several_cycles_joins_too():
    spans = Spans()
    for cycle, length in ((3, 4), (7, 2), (10, 5)):
        spans.add(cycle, length)
    assert spans.runs == [[3, 6], [10, 5]] and spans.count() == 11


def test_a_line_names_only_busy_units():
    row = dict(cycle=7, cycles=5, pos=2, layer=1, stage="Wq", busy={"matvec": 4, "rope": 0})
    assert line(row, " a").split() == ["7", "5", "2", "1", "Wq", "'", "a'", "matvec", "4"]


@pytest.mark.parametrize("several", [False, True])
def test_the_columns_stand_under_their_heads(several):
    row = dict(station=3, cycle=71, cycles=52, pos=2, layer=1, stage="Wq", busy={"matvec": 4})
    heads, cells = header(several), line(row, "a", several)
    for head, cell in (("cycle", "71"), ("cycles", "52"), ("pos", "2"), ("layer", "1")):
        assert cells[: heads.index(f"{head} ") + len(head)].endswith(cell)
    for head, cell in (("stage", "Wq"), ("token", "'a'"), ("busy cycles", "matvec 4")):
        assert cells[heads.index(head) :].startswith(cell)
    assert ("station" in heads) is several
    assert not several or cells[: heads.index("station") + len("station")].endswith(" 3")
