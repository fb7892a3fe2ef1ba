"""Table, survivors and what is lost, from verdicts; the program's bad input; who simulates what, as it is recorded."""

import json
import os
import subprocess
import sys

import pytest

from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.mutation import covers, record, report, run
from llama2_myhdl.mutation.judge import Verdict
from llama2_myhdl.mutation.places import Place
from llama2_myhdl.mutation.sample import Mutant

PLUS = Place("operator", "q <= a + b;", 1, 7, "+", "-")
VERDICTS = ["killed", "killed", "hung", "equivalent", "refused", "survived"]
UNITS = dict(one="arith", two="stream")


def stored(verdicts=VERDICTS):
    """What is stored of as many mutants of block one, and of one of block two that is killed."""
    blocks = ["one"] * len(verdicts) + ["two"]
    found = [(Mutant(b, "t", PLUS), Verdict(v, None, 1, 1.0)) for b, v in zip(blocks, [*verdicts, "killed"])]
    return dict(seed=3, planned=9, mutants=report.entries(found, UNITS))


def test_table():
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in report.render(stored()).splitlines()[2:5]]
    assert rows == [
        ["arith", "1", "5", "3", "1", "1", "1", "75.0%"],
        ["stream", "1", "1", "1", "0", "0", "0", "100.0%"],
        ["all", "2", "6", "4", "1", "1", "1", "80.0%"],
    ]
    assert "Seed 3; 7 of the sample's 9 were planted, 1 did not compile." in report.render(stored())


def test_a_survivor_is_shown_with_its_fault():
    (entry,) = [entry for entry in stored()["mutants"] if entry["verdict"] == "survived"]
    assert report.diff(entry) == "arith/one, operator, number 2 of these lines\n  - q <= a + b;\n  + q <= a - b;"


@pytest.mark.parametrize(("before", "after", "count"), [
    ("killed", "survived", 1), ("equivalent", "survived", 1), ("survived", "survived", 0), ("killed", "hung", 0),
])  # fmt: skip
def test_what_is_lost(before, after, count):
    assert len(report.lost(stored([before]), stored([after]))) == count


def test_a_new_survivor_is_not_lost():
    assert report.lost(dict(mutants=[]), stored(["survived"])) == []


@pytest.mark.parametrize(("given", "words"), [
    (["--count=0"], "COUNT: must be 1 or more, is 0"), (["--minutes=0"], "MINUTES: must be more than 0, is 0"),
    (["--block=nonsense"], "unknown BLOCK 'nonsense'; known: "),
])  # fmt: skip
def test_bad_input_is_one_line(given, words, capsys, monkeypatch):
    monkeypatch.setattr(covers, "refresh", lambda say: None)
    monkeypatch.setattr(covers, "read_record", lambda: [])
    try:
        status = run.main(given)
    except SystemExit as end:
        status = end.code
    said = capsys.readouterr().err
    assert status == 2 and words in said and said.count("\n") == 1


def test_the_record_of_a_test(tmp_path):
    """Whatever was built before: the modules of its build, its seconds, the text."""
    node = "tb/mutation/asserts_nothing.py::test_skid"
    environment = os.environ | {record.FILE: str(tmp_path / "noted")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", record.__name__, "-p", "no:cacheprovider", node]
    for _ in range(2):
        subprocess.run(command, cwd=PROJECT, env=environment, check=True, stdout=subprocess.DEVNULL)
        entries = [json.loads(line) for line in (tmp_path / "noted").read_text().splitlines()]
        (found,) = covers.read_entries(entries)
        (modules,) = found.builds
        assert (found.node, found.tops, found.seconds > 0.1) == (node, {"skid"}, True)
        assert "module llama_skid (" in (tmp_path / "texts" / f"{modules[-1].digest}.v").read_text()
        (tmp_path / "noted").unlink()


def test_every_block_has_a_unit():
    units = covers.units()
    assert (units["skid"], units["decoder"], units["attention"]) == ("stream", "top", "attention")
    assert "tb/stream/test_skid.py" in covers.files_of_tests()
