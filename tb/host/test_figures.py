"""The README's tables: only the block between the markers is written, and it says what docs/figures.json says."""

import json

import pytest

from llama2_myhdl.host import figures_measure as measure
from llama2_myhdl.host.figures import JSON, SECTION, Figure, collect, plan
from llama2_myhdl.host.figures_measure import Missing
from llama2_myhdl.host.figures_report import DAGGER, render
from llama2_myhdl.host.readme import README, ReadmeError, insert, markers

BEGIN, END = markers(SECTION)
TEXT = f"above\n\n{BEGIN}\nold | table\n{END}\n\nbelow\n"


def missing():
    raise Missing("run make pnr BLOCK=matvec")


def figure(measured, sources="now"):
    return Figure("routed/matvec", "make pnr BLOCK=matvec", measured, lambda: sources)


def test_only_the_block_between_the_markers_changes():
    once = insert(TEXT, SECTION, "| new |")
    assert once == f"above\n\n{BEGIN}\n\n| new |\n{END}\n\nbelow\n"
    assert insert(once, SECTION, "| new |") == once


@pytest.mark.parametrize("text", ["no markers", f"{BEGIN} alone", f"{END}{BEGIN}", f"{TEXT}{BEGIN}{END}"])
def test_other_markers_are_refused(text):
    with pytest.raises(ReadmeError, match="figures"):
        insert(text, SECTION, "x")


def test_readme_holds_the_figures_of_the_json_file():
    readme = README.read_text()
    assert insert(readme, SECTION, render(json.loads(JSON.read_text()))) == readme


def test_configurations_are_the_present_ones():
    assert json.loads(JSON.read_text())["configurations"]["values"] == measure.configurations()


def test_the_accuracy_goes_stale_with_the_arithmetic(monkeypatch, tmp_path):
    """Whatever in the golden models, or on the ground floor that they share with the hardware, changes."""
    named = [tmp_path / name for name in ("golden/fixed/norm.py", "golden/fixed_model.py", "spec/tables.py")]
    (tmp_path / "golden/fixed").mkdir(parents=True)
    (tmp_path / "spec").mkdir()
    for path in named:
        path.write_text("x = 1\n")
    monkeypatch.setattr(measure, "PROJECT", tmp_path)
    digests = {measure.accuracy_digest("stories260K")}
    for path in named:
        path.write_text("x = 2\n")
        digests.add(measure.accuracy_digest("stories260K"))
    assert len(digests) == 1 + len(named) == 4


def test_every_figure_names_its_command_or_what_is_missing():
    figures = json.loads(JSON.read_text())
    assert list(figures) == [figure.name for figure in plan()]
    for name, entry in figures.items():
        assert entry["why"] if entry["state"] == "missing" else entry["command"].startswith("make "), name


def test_measured_figures_replace_earlier_ones():
    said = []
    first = collect([figure(lambda: {"fmax_mhz": 90.0})], {}, None, said.append)
    second = collect([figure(lambda: {"fmax_mhz": 91.0})], first, None, said.append)
    assert [x["routed/matvec"]["values"]["fmax_mhz"] for x in (first, second)] == [90.0, 91.0]
    assert len(said) == 2


@pytest.mark.parametrize("sources, state", [("now", "measured"), ("before", "earlier")])
def test_a_missing_input_is_said_and_an_old_figure_marked(sources, state):
    earlier = collect([figure(lambda: {"fmax_mhz": 90.0}, sources)], {}, None, lambda line: None)
    said = []
    kept = collect([figure(missing)], earlier, None, said.append)["routed/matvec"]
    assert kept["state"] == state and kept["values"] == {"fmax_mhz": 90.0}
    assert len(said) == 1 and "run make pnr BLOCK=matvec" in said[0]
    assert collect([figure(missing)], earlier, "accuracy", said.append)["routed/matvec"] == kept


@pytest.mark.parametrize("state, marked", [("measured", False), ("earlier", True)])
def test_what_was_never_measured_is_a_note_in_the_table(state, marked):
    figures = [Figure(f.name, f.command, missing, lambda: "now") for f in plan() if f.group != "configurations"]
    notes = collect(figures, {}, None, lambda line: None)
    text = render(notes | {"configurations": dict(state=state, values=measure.configurations())})
    assert text.count("run make pnr BLOCK=matvec") == len(figures)
    assert (DAGGER in text) is marked
