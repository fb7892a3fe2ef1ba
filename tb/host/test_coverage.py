"""`make coverage`: its table in the documents, its exit status, and what it refuses."""

import json
import subprocess

import pytest

from llama2_myhdl.coverage import exclusions, report
from llama2_myhdl.coverage.counts import KINDS
from llama2_myhdl.host import coverage
from llama2_myhdl.host.coverage import JSON, PAGE, SECTION, folders, main, render
from llama2_myhdl.host.readme import insert
from tb.coverage.small import LOW, REACHED, counts, source

ALL = REACHED | {(16, "if"): 1}


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs the command on counts that are made here, with these exclusions; the page and the JSON file are made too."""
    page, file, left = tmp_path / "page.md", tmp_path / "docs.json", tmp_path / "exclusions.txt"
    page.write_text("<!-- coverage -->\n<!-- /coverage -->\n")
    for name, value in dict(COUNTS=tmp_path, HOLES=tmp_path / "holes.txt", PAGE=page, JSON=file).items():
        monkeypatch.setattr(coverage, name, value)
    monkeypatch.setattr(coverage, "SOURCES", (source(tmp_path / "rtl"),))
    monkeypatch.setattr(coverage.plan, "write", lambda: page)
    monkeypatch.setattr(coverage, "block_of", lambda file: "clamp")
    monkeypatch.setattr(coverage, "folders", lambda: ["stream"])
    monkeypatch.setattr(exclusions, "FILE", left)

    def call(*arguments, reached=ALL, text="", status=0):
        def test_run(command, **options):
            assert command[-1] == "tb/stream" and options["env"]["SIM"] == "verilator"
            counts(tmp_path / "stream", "build", reached, LOW).rename(tmp_path / "stream" / "one.dat")
            return subprocess.CompletedProcess(command, status)

        left.write_text(text)
        monkeypatch.setattr(coverage.subprocess, "run", test_run)
        return main(arguments), page.read_text(), json.loads(file.read_text()) if file.exists() else None

    return call


def test_the_page_holds_the_figures_of_the_json_file():
    page = PAGE.read_text()
    assert insert(page, SECTION, render(json.loads(JSON.read_text())), PAGE.name) == page


def test_the_stored_figures_meet_the_bars():
    """And a block without them does not."""
    blocks = json.loads(JSON.read_text())
    assert report.below(blocks) == []
    assert report.below(blocks | {"fifo": {kind: [2, 1, 0] for kind in KINDS}}) != []


def test_every_room_of_the_rtl_has_its_tests():
    assert {"arith", "matvec", "sampling", "stream"} < set(folders()) and folders()[-1] == "decoder"


def test_a_complete_run_writes_the_table(run, capsys):
    status, page, stored = run()
    assert status == 0 and stored == {"clamp": {"line": [5] * 2 + [0], "branch": [5] * 2 + [0], "expr": [0] * 3,
                                                "toggle": [6, 6, 0]}}  # fmt: skip
    assert "| clamp | 16 | 0 | 100.0 | 100.0 |  | 100.0 |" in page
    assert "0 holes" in capsys.readouterr().out


def test_below_a_bar_is_status_1_and_the_holes_are_named(run, capsys):
    status, _, _ = run(reached=REACHED)
    output = capsys.readouterr()
    assert status == 1 and "clamp: 80.0% of the branches, must be 98%" in output.err
    assert "branch clamp control: if s.data > HIGH:" in output.out
    holes = coverage.HOLES.read_text().splitlines()
    assert report.by_block(holes) == {"clamp": holes} and holes


def test_excluded_holes_are_none(run):
    text = "branch clamp control: if s.data > * # a reason\nline clamp *bits* = HIGH # a reason\n"
    status, page, stored = run(reached=REACHED, text=text)
    assert status == 0 and stored["clamp"]["branch"] == [5, 4, 1]


def test_one_folder_writes_nothing(run):
    status, page, stored = run("--block=stream", reached=REACHED, text="branch clamp nothing # not looked for\n")
    assert status == 0 and stored is None and "clamp" not in page


@pytest.mark.parametrize("text", ["branch clamp nothing # a reason", "branch clamp nothing"])
def test_an_exclusion_without_a_hole_or_a_reason_is_one_line(text, run, capsys):
    status, _, stored = run(text=text)
    assert status == 2 and stored is None
    assert capsys.readouterr().err.splitlines()[-1].startswith("coverage: exclusions.txt: line 1: ")


def test_tests_that_fail_are_named_and_nothing_is_written(run, capsys):
    status, _, stored = run(status=1)
    assert status == 1 and stored is None and "tests of tb/stream failed, see" in capsys.readouterr().err


def test_without_counts_there_is_nothing_to_report(run, capsys):
    status, _, _ = run("--report")
    assert status == 2 and "no counts" in capsys.readouterr().err
