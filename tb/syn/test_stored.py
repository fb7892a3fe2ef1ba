"""What is said of figures that are worse than those that are stored."""

import json

import pytest

from llama2_myhdl.syn import stored

BEFORE = {
    "resources": {"LUT": 1000, "FF": 200, "block RAM": 0},
    "memories": {"tape": {"kind": "block"}, "queue": {"kind": "distributed"}},
}


def now(resources=(), memories=()):
    return {part: BEFORE[part] | dict(changes) for part, changes in (("resources", resources), ("memories", memories))}


@pytest.mark.parametrize("resources", [{}, {"LUT": 1050}, {"LUT": 10}, {"FF": 210}])
def test_a_little_more_is_not_worse(resources):
    assert stored.worse(now(resources), BEFORE) == []


@pytest.mark.parametrize(
    "resources, words",
    [({"LUT": 1051}, "LUT: 1,051, stored are 1,000 (+5.1%)"), ({"block RAM": 1}, "block RAM: 1, stored are 0")],
)
def test_more_than_a_twentieth_is_worse(resources, words):
    assert stored.worse(now(resources), BEFORE) == [words]


def test_a_memory_that_leaves_its_block_ram_is_worse():
    assert stored.worse(now(memories={"tape": {"kind": "ultra"}, "queue": {"kind": "logic"}}), BEFORE) == []
    for kind in ("distributed", "logic"):
        (line,) = stored.worse(now(memories={"tape": {"kind": kind}}), BEFORE)
        assert line == f"tape: in {kind}, stored is block RAM"


def test_a_memory_that_is_gone_or_new_is_not_worse():
    assert stored.worse(BEFORE | {"memories": {"other": {"kind": "logic"}}}, BEFORE) == []


def test_figures_are_kept_beside_those_of_others(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "FILE", tmp_path / "synth.json")
    assert stored.load() == {}
    stored.store("small/ecp5", BEFORE)
    stored.store("large/ecp5", now({"LUT": 7}))
    stored.store("small/ecp5", now({"LUT": 8}))
    kept = json.loads(stored.FILE.read_text())
    assert {name: entry["resources"]["LUT"] for name, entry in kept.items()} == {"large/ecp5": 7, "small/ecp5": 8}
