"""Counts of builds as one, with the lines of MyHDL that the holes stand in."""

import pytest

from llama2_myhdl.coverage.counts import CountsError, read
from llama2_myhdl.coverage.merge import Merged, Place
from llama2_myhdl.coverage.origin import Origins
from llama2_myhdl.coverage.report import Result, below, holes
from tb.coverage.small import LOW, MYHDL, REACHED, VERILOG, counts, source

LOOK = """
@block
def inner(clk, x, y, z, on):
    @always(clk.posedge)
    def look_up():
        y.next = TABLE[x]
        if on:
            z.next = y

    return look_up


@hblock
def outer(clk):
    return inner(clk)
"""
LOOKED_UP = """always @(posedge clk) begin: inner0_look_up
    case (x)
        0: y <= 5;
        1: y <= 7;
        default: y <= 9;
    endcase
    if (on) begin
        z <= y;
    end
end
"""


def merged(tmp_path, *files):
    found = Merged(lambda file: "clamp", (source(tmp_path / "rtl"),))
    for file in files:
        found.add(read([file]))
    return found


def test_every_line_of_verilog_finds_its_line_of_myhdl(tmp_path):
    origins = Origins(VERILOG, "clamp", (source(tmp_path),))
    text = {number: origins.line(number).text for number in range(14, 26) if origins.line(number)}
    assert text == {
        14: "if s.valid:",
        15: "bits[:] = s.data",
        16: "if s.data > HIGH:",
        17: "bits[:] = HIGH",
        19: "elif s.data < LOW:",
        20: "bits[:] = LOW",
        22: "held.next = bits",
        24: "held.next = 0",
        25: "held.next = 0",
    }
    assert origins.line(10).text == "m.data.next = held"
    assert origins.process(17) == "control" and origins.process(10) == ""
    assert origins.signal("held").text == "held = uint(WIDTH)"
    assert origins.signal("s_data").text == "def clamp(clk, s, m, WIDTH=4):"


def test_entries_of_a_table_and_blocks_that_are_printed_into_others(tmp_path):
    """Their processes have the instance's name in front."""
    folder = source(tmp_path)
    (folder / "look.py").write_text(LOOK)
    origins = Origins(LOOKED_UP, "outer", (folder,))
    assert [origins.line(number).text for number in (3, 4, 5)] == [f"{k}: y.next = TABLE[x]" for k in (0, 1, "default")]
    assert [origins.line(number).text for number in (7, 8)] == ["if on:", "z.next = y"]
    assert {origins.process(number) for number in range(1, 9)} == {"look_up"}


def test_holes_are_found_with_their_lines(tmp_path):
    places = merged(tmp_path, counts(tmp_path, "a", REACHED, LOW | {"held[3]:0->1": 1, "held[3]:1->0": 0})).places
    found = holes(Result(places, []).holes)
    line = MYHDL.splitlines().index("                bits[:] = HIGH") + 1
    assert found == [
        f"clamp.py:{line - 1}: branch clamp control: if s.data > HIGH:  [llama_clamp.v:16: if (s_data > 12) begin]",
        f"clamp.py:{line}: line clamp control: bits[:] = HIGH  [llama_clamp.v:17: bits = 12;]",
        "clamp.py:5: toggle clamp held[3] 1->0  [llama_clamp.v:8: reg [3:0] held;]",
    ]


def test_a_build_that_reaches_a_place_reaches_it_for_all(tmp_path):
    """Though its Verilog is another: a wider one."""
    one = counts(tmp_path, "a", REACHED, LOW)
    other = counts(tmp_path, "b", {(16, "if"): 1}, {"held[7]:0->1": 2, "held[0]:0->1": 0}, width=8)
    places = merged(tmp_path, one, other).places
    assert places[Place("clamp", "toggle", "held[0] 0->1", 0)].count == 1
    assert places[Place("clamp", "toggle", "held[7] 0->1", 0)].count == 2
    result = Result(places, [])
    assert result.holes == {} and below(result.blocks) == []
    assert result.blocks["clamp"] == {"line": [5, 5, 0], "branch": [5, 5, 0], "expr": [0, 0, 0], "toggle": [7, 7, 0]}


def test_what_is_below_a_bar_is_said(tmp_path):
    result = Result(merged(tmp_path, counts(tmp_path, "a", REACHED, {"held[0]:0->1": 0})).places, [])
    assert below(result.blocks) == [
        "clamp: 80.0% of the statements, must be 100%",
        "clamp: 80.0% of the branches, must be 98%",
        "clamp: 0.0% of the toggles, must be 95%",
    ]


def test_blocks_of_tests_do_not_count(tmp_path):
    found = Merged(lambda file: "harness", (source(tmp_path / "rtl"),))
    found.add(read([counts(tmp_path, "a", REACHED, LOW)]))
    assert found.places == {}


def test_verilog_that_has_changed_is_refused(tmp_path):
    file = counts(tmp_path, "a", REACHED, LOW)
    verilog = tmp_path / "a" / "llama_clamp.v"
    verilog.write_text("".join(VERILOG.splitlines(True)[:20]))
    with pytest.raises(CountsError, match="llama_clamp.v: has no line 2[0-9]: it has changed since"):
        read([file])


@pytest.mark.parametrize("text, fault", [("", "no coverage counts"), ("# SystemC::Coverage-3\nC 'x", "line 2 has no")])
def test_another_file_is_refused(text, fault, tmp_path):
    file = tmp_path / "x.dat"
    file.write_text(text)
    with pytest.raises(CountsError, match=f"x.dat: {fault}"):
        read([file])
