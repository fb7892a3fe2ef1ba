"""`make regress`: what a run's XML says, what is wrong with it, the page, and runs of pytest in their own processes."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from llama2_myhdl.regress import findings, page, results, run, stored
from llama2_myhdl.regress.results import FAILED, PASSED, SKIPPED
from llama2_myhdl.regress.run import RegressError, run_seed, verdict, workers

GRID = dict(kind="grid", where="env.coverage", name="sizes", axes=["size", "traffic"], goal=2)
TESTS = """
import os
import pytest

@pytest.mark.parametrize("sim", ["icarus", "verilator"])
def test_block(sim, record_property):
    record_property("record", '{"kind": "compared", "where": "x", "values": 30000}')
    assert sim == "icarus" or os.environ["SEED"] != "2", "one value <differs>"
    assert "STORE" not in os.environ  # a make that a test calls would take it for its own

def test_other():
    pytest.skip("the build of 64 lanes is run in Verilator")
"""


def case(counts, seed=1):
    record = GRID | dict(counts=counts)
    return results.Case(seed, "tb/matvec/test_matvec_uvm.py", "test_nano[icarus]", 1.0, PASSED, "", (record,))


def compared(values, outcome=PASSED, seed=1):
    record = dict(kind="compared", where="env.m_scoreboard", values=values)
    return results.Case(seed, "tb/decoder/test_x.py", "test_y[verilator]", 2.0, outcome, "why <this>", (record,))


@pytest.fixture(scope="module")
def two_seeds(tmp_path_factory):
    """Seeds 1 and 2 of TESTS; in the second one a test fails."""
    folder = tmp_path_factory.mktemp("regress")
    (folder / "test_some.py").write_text(TESTS)
    said = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORE", "1")
        return folder, _run_both(folder, said), said


def _run_both(folder, said):
    spread = {1: workers("2"), 2: workers("popen popen")}  # processes of a number, and gateways that are named
    return {seed: run_seed(seed, spread[seed], [str(folder)], lambda *what: said.append(what), folder)
            for seed in spread}  # fmt: skip


def test_runs_are_read(two_seeds):
    folder, found, said = two_seeds
    for seed, last in ((1, PASSED), (2, FAILED)):
        outcomes = {case.name: case.outcome for case in found[seed]}
        assert outcomes == {"test_block[icarus]": PASSED, "test_block[verilator]": last, "test_other": SKIPPED}
        assert sum(case.values for case in found[seed]) == 60_000
        assert (f"seed {seed}", 0, 100) in said and (f"seed {seed}", 100, 100) in said
        assert "2 workers" in (folder / f"seed-{seed}.log").read_text()
    assert verdict(found[1], 1) == []
    (failed,) = verdict(found[2], 1)
    assert failed.endswith("::test_block[verilator] failed; again: SEED=2 make sim BLOCK=some SIM=verilator WAVES=1")


def test_a_run_that_does_not_begin_is_one_line(two_seeds):
    folder, _, _ = two_seeds
    with pytest.raises(RegressError, match="seed 3: pytest ended with status [2-5], see "):
        run_seed(3, workers("1"), [str(folder / "missing")], lambda *what: None, folder)


@pytest.mark.parametrize("spec", ["0", "", " "])
def test_workers(spec):
    with pytest.raises(RegressError, match="workers: must be a number from 1 or gateways"):
        workers(spec)


@pytest.mark.parametrize("seeds", ["0", "-1", "two"])
def test_seeds(seeds, capsys):
    with pytest.raises(SystemExit) as end:
        run.main([f"--seeds={seeds}"])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"regress: argument --seeds: invalid whole number from 1 value: '{seeds}'"


def test_bins_add_up_over_seeds():
    """What one seed leaves out another may reach; a bin that none reaches often enough is named."""
    cases = [case({"low x free": 2, "high x free": 1}), case({"low x free": 0, "high x free": 1}, seed=2)]
    (grid,) = results.covered(cases)
    assert grid.counts == {"low x free": 2, "high x free": 2} and not grid.holes
    assert verdict([*cases, compared(200_000)], 2) == []
    assert verdict([cases[0], compared(200_000)], 2) == ["matvec_uvm: sizes: below the goal of 2: high x free"]


def test_too_few_values_are_a_failure():
    least = run.VALUES_A_SEED
    assert verdict([compared(2 * least)], 2) == []
    words = f"values compared: must be {2 * least:,} or more with 2 seeds, are {2 * least - 1:,}"
    assert verdict([compared(2 * least - 1)], 2) == [words]


def test_what_is_stored():
    """Tests once for all seeds, comparisons of the first seed, bins of all; files of which nothing ran too."""
    record = dict(kind="compared", test="Random", where="uvm_test_top.env.m_scoreboard", values=5)
    matvec = case({"low x free": 2, "high x free": 1})
    both = [
        replace(matvec, records=(*matvec.records, record, record | dict(where="uvm_test_top.stages.x_scoreboard"))),
        case({"low x free": 2, "high x free": 0}, seed=2), replace(compared(7), outcome=SKIPPED), compared(8, seed=2),
    ]  # fmt: skip
    others = [results.Case(None, "tb/rope/test_rope.py", name, 1.0, PASSED, "", ()) for name in ("a", "b")]
    found = stored.contents(range(1, 3), both, others, ["tb/rope/test_rope.py", "tb/syn/test_pnr.py"])
    assert found["seeds"] == [1, 2]
    rows = [(test["file"], test["passed"], test["skipped"], test["values"]) for test in found["tests"]]
    assert rows == [("tb/decoder/test_x.py", 1, 0, 15), (matvec.file, 1, 0, 10), ("tb/rope/test_rope.py", 2, 0, 0),
                    ("tb/syn/test_pnr.py", 0, 0, 0)]  # fmt: skip
    assert found["compared"] == [
        dict(file="tb/decoder/test_x.py", name="test_y[verilator]", test="", values={"m": 7}),
        dict(file=matvec.file, name=matvec.name, test="Random", values={"m": 5, "stages.x": 5}),
    ]
    assert found["grids"] == [dict(file=matvec.file, name="sizes", goal=2, bins=2, reached=1, least=1,
                                   axes=dict(size=["low", "high"], traffic=["free"]))]  # fmt: skip


@pytest.fixture
def regress(monkeypatch, tmp_path):
    """Runs the command; the tests, each with what came of it, are made up, and the documents stay as they are."""
    file, ran = tmp_path / "regress.json", []
    monkeypatch.setattr(run, "FOLDER", tmp_path)
    monkeypatch.setattr(stored.plan, "REGRESS", file)
    monkeypatch.setattr(stored.plan, "write", lambda: file)

    def call(*arguments, outcome=PASSED):
        def run_seed(seed, spread, tests, say):
            ran.append((seed, tests))
            return [compared(run.VALUES_A_SEED, PASSED if seed else outcome, seed)]

        monkeypatch.setattr(run, "run_seed", run_seed)
        status = run.main(["--seeds=2", "--first=3", "--workers=1", *arguments])
        return status, ran, json.loads(file.read_text()) if file.exists() else None

    return call


def test_other_tests_run_to_be_stored(regress):
    assert regress() == (0, [(3, run.MARKERS), (4, run.MARKERS)], None)
    status, ran, found = regress("--store")
    assert status == 0 and ran[2:] == [(3, run.MARKERS), (4, run.MARKERS), (None, run.OTHERS)]
    assert found["seeds"] == [3, 4] and found["compared"][0]["values"] == {"m": run.VALUES_A_SEED}


def test_a_failure_is_not_stored(regress, capsys):
    status, _, found = regress("--store", outcome=FAILED)
    assert status == 1 and found is None
    assert "again: make sim BLOCK=x SIM=verilator WAVES=1" in capsys.readouterr().err


NOTHING = dict(regress={}, coverage={}, mutants={}, proofs=[])
HOLES = [
    "fifo.py:3: branch fifo control: if full: else [llama_fifo.v:9: if (full)]",
    "no line of MyHDL: toggle fifo count[3]  [llama_fifo.v:2: reg [3:0] count;]",
    "skid.py:5: line skid move q <= s  [llama_skid.v:7: q <= s;]",
]
ROW = dict(line=[4, 4, 0], branch=[2, 2, 0], expr=[0, 0, 0], toggle=[15, 15, 0])


def mutant(verdict):
    return dict(unit="stream", block="fifo", kind="constant", line="q <= 1;", column=5, which=0, was="1", now="2",
                verdict=verdict)  # fmt: skip


@pytest.fixture
def others(tmp_path):
    """What other runs have found."""
    file = tmp_path / "holes.txt"
    file.write_text("".join(f"{line}\n" for line in HOLES))
    proof = dict(name="fifo-3", block="fifo", properties=["queue", "fifo"], mode="induction 2", cycles=8)
    runs = dict(
        coverage=dict(fifo=ROW | dict(toggle=[15, 14, 0]), skid=ROW),
        mutants=dict(seed=1, planned=3, mutants=[mutant(verdict) for verdict in ("killed", "survived", "equivalent")]),
        proofs=[proof | dict(result="proved")],
    )
    return findings.found(NOTHING | runs, file)


class Page(HTMLParser):
    """What a page fetches, its text, and whether its elements are closed."""

    VOID = {"meta", "br", "path", "use", "rect", "stop"}

    def __init__(self, text):
        super().__init__()
        self.open, self.fetched, self.texts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.fetched += [value for name, value in attributes if name in ("src", "href") and not value.startswith("#")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append(text.strip())


def test_the_page_shows_all_and_needs_nothing(others):
    cases = [case({"low x free": 2, "high x free": 1}), compared(123_456, FAILED), compared(1, seed=2)]
    wrong = verdict(cases, 2)
    shown = Page(page.html(cases, wrong, "now", others))
    assert not shown.open and not shown.fetched
    for text in (*wrong, "why <this>", "123,457", "1 of 2", "SEED=1 make sim BLOCK=x SIM=verilator WAVES=1"):
        assert text in shown.texts, text
    for text in (*others.low, "fifo", "93.3", "fifo: 2", "\n".join(HOLES[:2]), "skid: 1", *others.survivors, "50.0%",
                 "fifo-3", "queue, fifo", "induction 2", "proved"):  # fmt: skip
        assert text in shown.texts, text
    assert not any("No run is stored" in text for text in shown.texts)


def test_the_page_says_where_no_run_is_stored(tmp_path):
    nothing = findings.found(NOTHING, tmp_path / "holes.txt")
    shown = Page(page.html([compared(1)], [], "now", nothing))
    assert not shown.open and shown.texts.count("No run is stored:") == 3
    for command in ("make coverage", "make mutants", "make formal STORE=1"):
        assert command in shown.texts


def test_the_page_is_written_of_what_is_stored(tmp_path):
    """Whatever that is."""
    file = page.write(tmp_path / "report.html", [compared(1)], [])
    assert not Page(file.read_text()).fetched and "<h2>Proofs</h2>" in file.read_text()


def test_what_other_runs_found(others):
    """Blocks and units with their sums; survivors alone of the mutants."""
    assert [row[0] for row in others.coverage] == ["fifo", "skid", "all"]
    assert others.low == ["fifo: 93.3% of the toggles, must be 95%"]
    assert [(row[0], row[-1]) for row in others.mutants] == [("stream", "50.0%"), ("all", "50.0%")]
    assert others.survivors == ["stream/fifo, constant\n  - q <= 1;\n  + q <= 2;"]
    assert others.holes == {"fifo": HOLES[:2], "skid": HOLES[2:]}


def test_a_run_says_what_it_recorded(tmp_path, monkeypatch):
    """The file of a test's records becomes properties of it; without one nothing is written."""
    from tb.records import PROPERTY, VARIABLE, properties, record
    from tb.uvm.grid import OTHER

    file = tmp_path / "records.jsonl"
    monkeypatch.delenv(VARIABLE, raising=False)
    record("compared", where="x", values=1)
    assert properties(file) == []
    monkeypatch.setenv(VARIABLE, str(file))
    record("compared", where="x", values=2)
    ((name, line),) = properties(file)
    assert OTHER == stored.OTHER
    assert name == PROPERTY == results.RECORD and json.loads(line) == dict(kind="compared", where="x", values=2)
