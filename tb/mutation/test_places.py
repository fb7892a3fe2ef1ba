"""Places of a small module: every kind, nothing that is no hardware, and the same text from a place again."""

import pytest

from llama2_myhdl.mutation.places import KINDS, Place, places
from llama2_myhdl.mutation.plant import PlaceError, planted

MODULE = """\
// Not hardware: a + b, ± 1
module small (
    input  wire clk,
    input  wire rst,
    input  wire [7:0] a,
    input  wire s_valid,
    output reg s_ready,
    output reg signed [8:0] q
);

localparam DEPTH = 7;

wire take;
reg [3:0] count;

assign take = s_valid && s_ready;

always @(posedge clk) begin: control
    integer k;
    reg [7:0] sum;
    sum = 0;
    if (rst) begin
        count <= 4'h3;
    end
    else if (take) begin
        sum = a + 1;
        count <= count;
        q <= $signed(sum[6:2]);
        s_ready <= sum[3];
    end
    for (k = 0; k < 8; k = k + 1) begin
        s_ready <= count != DEPTH;
    end
end

`ifndef SYNTHESIS
always @(posedge clk) begin
    if (count > 9 && $time != 0) begin
        $fatal(1);
    end
end
`endif

endmodule
"""
FOUND = {
    ("handshake", "s_valid && s_ready", "s_ready"),
    ("handshake", "s_valid && s_ready", "s_valid"),
    ("operator", "&&", "||"),
    ("condition", "rst", "!(rst)"),
    ("condition", "rst", "1"),
    ("condition", "rst", "0"),
    ("reset", "count <= 4'h3;", ";"),
    ("reset", "4'h3", "4'h2"),
    ("reset", "4'h3", "4'h4"),
    ("reset", "4'h3", "4'hb"),
    ("condition", "take", "!(take)"),
    ("condition", "take", "1"),
    ("condition", "take", "0"),
    ("assignment", "sum = a + 1;", ";"),
    ("operator", "+", "-"),
    ("constant", "1", "0"),
    ("constant", "1", "2"),
    ("assignment", "count <= count;", ";"),
    ("assignment", "q <= $signed(sum[6:2]);", ";"),
    ("width", "$signed", "$unsigned"),
    ("width", "[6:2]", "[5:2]"),
    ("width", "[6:2]", "[6:3]"),
    ("width", "[6:2]", "[5:1]"),
    ("assignment", "s_ready <= sum[3];", ";"),
    ("width", "[3]", "[2]"),
    ("assignment", "s_ready <= count != DEPTH;", ";"),
    ("operator", "!=", "=="),
}


def test_all_places_and_no_others():
    found = [(place.kind, place.was, place.now) for place in places(MODULE)]
    assert len(found) == len(FOUND) and set(found) == FOUND
    assert {kind for kind, *_ in found} == set(KINDS)


def test_a_fault_changes_its_place_alone():
    for place in places(MODULE):
        changed = planted(MODULE, place)
        before, after = MODULE.splitlines(), changed.splitlines()
        (line,) = (k for k, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1])
        assert before[line].strip() == place.line
        bare = place.line[: place.column] + place.now + place.line[place.column + len(place.was) :]
        assert after[line].strip() == bare


def test_equal_lines_are_told_apart():
    text = "x = a + b;\n    x = a + b;\n"
    assert planted(text, Place("operator", "x = a + b;", 1, 6, "+", "-")) == "x = a + b;\n    x = a - b;\n"


@pytest.mark.parametrize("which, was", [(2, "+"), (0, "*")])
def test_a_text_without_the_place(which, was):
    with pytest.raises(PlaceError, match=rf"no '\{was}' in line 'x = a \+ b;', number {which}"):
        planted("x = a + b;\nx = a + b;\n", Place("operator", "x = a + b;", which, 6, was, "-"))
