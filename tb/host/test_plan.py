"""The verification plan: docs/verification.md says what the stored runs say, by unit, and what no run is stored of."""

import json

import pytest

from llama2_myhdl.host import plan
from llama2_myhdl.host.plan_report import HEADS, sections
from llama2_myhdl.host.units import units

UNITS = {"fifo": "stream", "skid": "stream", "rope": "rope", "decoder": "top"}
FIFO, ROPE = "tb/stream/test_fifo.py", "tb/rope/test_rope.py"
AXES = {"kind": list("abcdef"), "traffic": ["free", "held"]}
REGRESS = dict(
    seeds=[4, 6],
    tests=[dict(file=FIFO, passed=1234, skipped=2, values=9876), dict(file=ROPE, passed=3, skipped=0, values=0)],
    compared=[
        dict(file=FIFO, name="test_nano[icarus]", test="Random", values=dict(m=1000, full_count=1)),
        dict(file=FIFO, name="test_nano[verilator]", test="Random", values=dict(m=1000, full_count=1)),
        dict(file=FIFO, name="test_nano[verilator]", test="Extreme", values=dict(m=7)),
    ],
    grids=[
        dict(file=FIFO, name="kinds", goal=2, bins=12, reached=11, least=1, axes=AXES),
        dict(file=FIFO, name="full", goal=1, bins=3, reached=3, least=5, axes={"full": ["0", "1", "2"]}),
    ],
)
COUNTS = dict(line=[10, 10, 0], branch=[4, 2, 1], expr=[0, 0, 0], toggle=[1000, 999, 0])
VERDICTS = ["killed", "hung", "survived", "equivalent", "refused"]
STORED = dict(
    regress=REGRESS,
    coverage=dict(fifo=COUNTS, skid=COUNTS | dict(branch=[2, 2, 0])),
    mutants=dict(mutants=[dict(unit="stream", verdict=verdict) for verdict in VERDICTS]),
    proofs=[dict(block="fifo", result=result) for result in ("proved", "holds", "proved")],
)
EMPTY = dict(regress={}, coverage={}, mutants={}, proofs=[])


def rows(text: str) -> list[list[str]]:
    """Cells of a table's rows."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "][2:]


def test_the_page_holds_the_plan_of_the_stored_runs():
    page = plan.PAGE.read_text()
    assert plan.filled(page) == page, "make plan writes it anew"


def test_a_row_a_unit():
    """Those of rtl/ in their order, the decoder last."""
    found = rows(sections(STORED, UNITS, [FIFO, ROPE])["plan"])
    stream = ["stream", "2", "1,234 + 2 skipped", "9,876", "14 of 15", "100.0", "80.0", "", "99.9", "2 of 3",
              "2 proved, 1 holds"]  # fmt: skip
    assert found == [
        ["rope", "1", "3", *[""] * 8],
        stream,
        ["decoder", "1", *[""] * 9],
    ]
    assert len(HEADS) == len(stream)


def test_the_project_has_a_row_for_each_folder_of_the_hardware():
    found = [row[0] for row in rows(sections(EMPTY, units(), [])["plan"])]
    assert found == [*sorted(set(units().values()) - {"top"}), "decoder"] and "matvec" in found


def test_the_page_says_what_is_checked_of_each():
    """A row of its hand-written table names the folder of tests, or one of its files."""
    table = plan.PAGE.read_text().partition("## Leaves and blocks")[2]
    folders = {*units().values(), "decoder"} - {"top"}
    assert {folder for folder in folders if f"`tb/{folder}/" not in table} == set()


def test_what_else_has_tests_has_a_row_too():
    more = [dict(file="tb/golden/test_scores.py", passed=5, skipped=0, values=0)]
    stored = STORED | dict(regress=REGRESS | dict(tests=more, grids=[]), coverage=dict(check=COUNTS))
    names = [row[0] for row in rows(sections(stored, UNITS, [])["plan"])]
    assert names == ["rope", "stream", "decoder", "golden", "hdl"]


def test_runs_that_are_not_stored_are_named():
    found = sections(EMPTY, UNITS, [FIFO])
    for command in ("make regress STORE=1", "make coverage", "make mutants", "make formal STORE=1"):
        assert f"(`{command}`)" in found["plan"]
    assert found["compared"] == found["grids"] == "No run is stored yet: `make regress STORE=1`.\n"
    assert "No run" not in sections(STORED, UNITS, [FIFO])["plan"]


def test_tests_that_the_run_did_not_know_are_named():
    found = sections(STORED, UNITS, [FIFO, "tb/rope/test_new.py"])["plan"]
    assert f"Newer than this run: `tb/rope/test_new.py`.\nGone since: `{ROPE}`." in found
    assert "seeds 4 to 6" in found


def test_comparisons_that_are_equal_share_a_row():
    text = sections(STORED, UNITS, [])["compared"]
    assert "values with seed 4" in text
    assert rows(text) == [
        ["`stream/test_fifo.py`", "`Random`", "`test_nano[icarus]`, `test_nano[verilator]`", "m 1,000, full_count 1"],
        ["`stream/test_fifo.py`", "`Extreme`", "`test_nano[verilator]`", "m 7"],
    ]


def test_grids_have_their_axes():
    """Of an axis with many bins, how many."""
    assert rows(sections(STORED, UNITS, [])["grids"]) == [
        ["`stream/test_fifo.py`", "kinds", "kind (6) x traffic (free, held)", "11 of 12", "2", "1"],
        ["`stream/test_fifo.py`", "full", "full (0, 1, 2)", "3 of 3", "1", "5"],
    ]


@pytest.mark.parametrize("text", ["<!-- plan -->", "no sections"])
def test_a_page_without_sections_is_one_line(text, tmp_path, monkeypatch, capsys):
    page = tmp_path / "verification.md"
    page.write_text(text)
    monkeypatch.setattr(plan, "PAGE", page)
    assert plan.main([]) == 2 and page.read_text() == text
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("plan: verification.md: must hold <!-- plan -->")


def test_the_sections_are_written(tmp_path, monkeypatch):
    """And nothing else on the page."""
    page = tmp_path / "verification.md"
    names = ("compared", "grids", "plan")
    page.write_text("above\n" + "".join(f"<!-- {name} -->\nold\n<!-- /{name} -->\n" for name in names) + "below\n")
    for name, contents in STORED.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(contents))
    monkeypatch.setattr(plan, "PAGE", page)
    monkeypatch.setattr(plan, "DOCS", tmp_path)
    assert plan.main([]) == 0
    text = page.read_text()
    assert text.startswith("above\n<!-- compared -->\n\n| file |") and text.endswith("<!-- /plan -->\nbelow\n")
    assert "\nold\n" not in text and "2 proved, 1 holds" in text
