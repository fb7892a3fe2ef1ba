"""nextpnr's report and log as they are read, and the picture of a placement."""

import re

import pytest

from llama2_myhdl.syn import tools
from llama2_myhdl.syn.nextpnr import Routed, Stage, original, places, report
from llama2_myhdl.syn.placement import picture, tiles, unit

CLOCK = "$glbnet$clk$TRELLIS_IO_IN"


def step(kind, delay, start, end, **more):
    return {"type": kind, "delay": delay, "from": {"cell": start}, "to": {"cell": end}} | more


REPORT = {
    "fmax": {CLOCK: {"achieved": 76.586, "constraint": 100}},
    "utilization": {"DP16KD": {"available": 208, "used": 2}},
    "critical_paths": [
        {"from": "<async>", "to": f"posedge {CLOCK}", "path": []},
        {
            "from": f"posedge {CLOCK}",
            "to": f"posedge {CLOCK}",
            "path": [
                step("clk-to-q", 5.6, "a", "a"),
                step("routing", 2.2, "a", "b", net="n"),
                step("setup", 0, "b", "b"),
            ],
        },
    ],
}
LOG = """Info: Packing constants..
Info: overlap: COMB=88.0%, FF=80.5%, RAM=73.4%, MUL=60.8%
Info: overlap: COMB=9.7%, FF=2.6%, RAM=0.0%, MUL=0.0%
Info:   at iteration #5: temp = 0.000000, timing cost = 66, wirelen = 8288
Info: Routing 462 arcs.
Info:            |   (re-)routed arcs  |   delta    | remaining|       time spent     |
Info:        353 |       89        240 |   89   240 |       200|       0.66       0.66|
Info:        553 |       89        440 |   89   440 |         0|       0.66       0.66|
"""


def test_the_report_says_speed_path_and_use():
    fmax, steps, used = report(REPORT)
    assert fmax == 76.586 and used == {"DP16KD": (2, 208)}
    assert [(s.kind, s.ns, s.end, s.net) for s in steps] == [
        ("clk-to-q", 5.6, "a", ""), ("routing", 2.2, "b", "n"), ("setup", 0, "b", "")
    ]  # fmt: skip


def test_a_report_without_the_clock_is_refused():
    with pytest.raises(tools.ToolError, match="one clock must be routed, are 0"):
        report(REPORT | {"fmax": {}})


def test_progress_is_read_from_the_log():
    said = []
    stage = Stage(lambda *step: said.append(step))
    for line in LOG.splitlines():
        stage.line(line)
    assert said == [("pack", 0, 1), ("place", 12, 100), ("place", 90, 100), ("route", 0, 462), ("route", 262, 462),
                    ("route", 462, 462)]  # fmt: skip


def test_parts_of_a_cell_are_known_by_its_name():
    known = {"$auto$ff.cc:337:slice$795", "u.sum", "u.q.0.0"}
    assert original("$auto$ff.cc:337:slice$795", known) == "$auto$ff.cc:337:slice$795"
    assert original("$auto$ff.cc:337:slice$795_clear", known) == "$auto$ff.cc:337:slice$795"
    assert original("u.sum$CCU2_COMB1", known) == "u.sum"
    assert original("u.q.0.0$RAMW_SLICE", known) == "u.q.0.0"
    assert original("$nextpnr_CCU2C_3$CCU2_COMB1", known) is None


def test_places_are_those_of_cells_that_have_one():
    cells = {
        "a": {"type": "TRELLIS_FF", "attributes": {"NEXTPNR_BEL": "X67/Y38/SLICEC.FF1"}},
        "b": {"type": "DP16KD", "attributes": {"NEXTPNR_BEL": "X9/Y46/EBR0"}},
        "c": {"type": "VCC", "attributes": {}},
    }
    document = {"modules": {"top": {"cells": cells}}}
    assert places(document) == {"a": ("TRELLIS_FF", 67, 38), "b": ("DP16KD", 9, 46)}


@pytest.mark.parametrize(
    "instance, name",
    [("", "the design"), ("u_tapes_0.u_layers", "tapes"), ("u_engine_1.u_matvec.u_issue", "matvec"),
     ("u_engine_0", "engine"), ("u_head.u_argmax", "argmax"), ("u_loader", "loader")],
)  # fmt: skip
def test_units(instance, name):
    assert unit(instance) == name


def test_a_tile_has_the_colour_of_the_unit_with_most_of_its_cells():
    at = {"a1": ("TRELLIS_COMB", 1, 2), "a2": ("TRELLIS_FF", 1, 2), "b1": ("TRELLIS_COMB", 1, 2),
          "b2": ("DP16KD", 4, 2), "w": ("TRELLIS_FF", 1, 2)}  # fmt: skip
    routed = Routed(1, 100, 90.0, {}, (), at)
    units = {"a": "rope & co", "b": "tapes", "w": None}
    where = tiles(routed, lambda cell: units[cell[0]])
    assert where == {(1, 2): {"rope & co": 2, "tapes": 1}, (4, 2): {"tapes": 1}}
    svg = picture(routed, lambda cell: units[cell[0]], "<small>")
    fills = re.findall(r'height="6" fill="(#\w+)"', svg)
    legend = dict(re.findall(r'height="12" fill="(#\w+)"/>\n<text[^>]*>([^:]*):', svg))
    assert [legend[fill] for fill in fills] == ["rope &amp; co", "tapes"]
    assert "&lt;small&gt;" in svg and svg.count('stroke="black"') == 1
