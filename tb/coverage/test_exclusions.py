"""What need not be reached: with a reason, and only as long as there is a hole."""

import pytest

from llama2_myhdl.coverage.counts import KINDS
from llama2_myhdl.coverage.exclusions import FILE, ExclusionError, parse
from llama2_myhdl.coverage.merge import Place, Reached
from llama2_myhdl.coverage.report import Result, added, lines, rows, share

PLACES = {Place("clamp", "toggle", f"held[{bit}] {change}", 0): Reached(int(bit < 4)) for bit in range(8)
          for change in ("0->1", "1->0")}  # fmt: skip
PLACES |= {Place("clamp", "branch", "control: if s.data > HIGH:", 17): Reached(0)}
PLACES |= {Place("clamp", "line", "control: bits[:] = HIGH", 18): Reached(1)}


def result(*texts):
    return Result(PLACES, parse("\n".join(texts)))


@pytest.mark.parametrize(
    "place, count", [("held", 8), ("held[6..7]", 4), ("held[5] 0->1", 1), ("held[5]", 2), ("*", 8),
                     ("held[6..7] 1->0", 2), ("hel", 0), ("h*[4..4]", 2), ("held[0..3]", 0), ("held[7..6]", 0)]
)  # fmt: skip
def test_toggles_are_excluded_by_signal_and_bits(place, count):
    found = result(f"toggle clamp {place} # never so large")
    assert found.blocks["clamp"]["toggle"] == [16, 8, count]
    assert len(found.holes) == 9 - count
    assert len(found.unused) == int(count == 0)


@pytest.mark.parametrize("block, count", [("clamp", 8), ("cl*", 8), ("*", 8), ("amp", 0), ("*cl", 0)])
def test_a_star_stands_for_blocks_too(block, count):
    assert result(f"toggle {block} held[4..7] # never so large").blocks["clamp"]["toggle"] == [16, 8, count]


def test_a_branch_is_excluded_by_its_text():
    found = result("branch clamp control: if s.data > * # a wider value does not come")
    assert found.blocks["clamp"]["branch"] == [1, 0, 1] and share(found.blocks["clamp"]["branch"]) == 100
    assert found.unused == []


@pytest.mark.parametrize("text", ["line clamp control: bits[:] = HIGH # is reached", "branch other * # another block"])
def test_what_excludes_no_hole_is_found(text):
    assert [exclusion.line for exclusion in result("# a comment", "", text).unused] == [3]


@pytest.mark.parametrize(
    "text, fault",
    [("toggle clamp held", "must be KIND BLOCK PLACE # reason"), ("toggle clamp held #", "must be KIND BLOCK PLACE"),
     ("toggle clamp # held", "must be KIND"), ("bits clamp held # x", "kind must be one of line, branch, expr, ")],
)  # fmt: skip
def test_an_exclusion_without_a_reason_or_of_no_kind_is_refused(text, fault):
    with pytest.raises(ExclusionError, match=f"exclusions.txt: line 2: {fault}"):
        parse(f"\n{text}")


def test_the_projects_own_are_whole():
    assert all(len(exclusion.reason.split()) > 2 for exclusion in parse(FILE.read_text()))


def test_only_all_is_100_percent():
    row = {kind: [0, 0, 0] for kind in KINDS} | {"line": [20_000, 19_999, 0]}
    assert rows({"a": row})[0] == ("a", "20,000", "0", "99.9", "", "", "")
    assert share([3, 2, 1]) == share([0, 0, 0]) == 100 and added([{"line": [1, 1, 0]}] * 2)["line"] == [2, 2, 0]
    assert lines(result().blocks)[-1].split() == ["all", "18", "0", "100.0", "0.0", "50.0"]
