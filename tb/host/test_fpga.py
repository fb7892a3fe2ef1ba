"""docs/fpga.md: it says what docs/fpga.json says, and what is measured again when."""

import json

import pytest

from llama2_myhdl.host import fpga, fpga_report
from llama2_myhdl.host.figures_report import DAGGER
from llama2_myhdl.host.fpga_points import BASE, CONTEXTS, ENGINES, LANES, Point, plan
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.syn.targets import TARGETS

SMALL = Point("small")
ENTRY = dict(
    title="small",
    arguments="CONFIG=small",
    verilog="now",
    resources={"LUT": 1000, "carry": 100, "FF": 700, "LUT RAM": 10, "block RAM": 300, "DSP": 3},
    levels=7,
    carries=4,
    faults=[],
    fmax_mhz=80.0,
    seed=3,
    target_mhz=100.0,
    slowest_mhz=70.5,
    seeds=4,
    fmax_verilog="now",
    cycles=4000.0,
    positions=16,
)


@pytest.fixture
def measured(monkeypatch):
    """What is measured, by name; each measurement is counted."""
    calls = []
    found = dict(area=dict(verilog="now", resources=ENTRY["resources"], levels=7, carries=4, faults=[]),
                 speed=dict(fmax_mhz=80.0, seed=3, target_mhz=100.0, slowest_mhz=70.5, seeds=4),
                 cycles=dict(cycles=4000.0, positions=16))  # fmt: skip

    def stand_in(name):
        def call(*_):
            calls.append(name)
            if isinstance(found[name], Exception):
                raise found[name]
            return dict(found[name])

        return call

    for name in found:
        monkeypatch.setattr(fpga.measure, name, stand_in(name))
    monkeypatch.setattr(fpga, "write", lambda entries: calls.append("write"))
    return found, calls


def test_the_curves_have_four_points_each():
    keys = {point.key for point in plan()}
    for name, values in (("lanes", LANES), ("context", CONTEXTS), ("engines", ENGINES)):
        entries = {key: {"key": key} for key in keys}
        assert [value for value, _ in fpga_report.curve(entries, name, values)] == list(values) and len(values) >= 4
    assert len(keys) == len(plan())


def test_the_base_is_a_point_of_every_curve():
    entries = {Point(BASE).key: {"base": True}}
    ends = [fpga_report.curve(entries, name, values) for name, values in fpga_report.CURVES]
    assert [points[0][0] for points in ends] == [64, 256, 1] and all(len(points) == 1 for points in ends)


def test_a_row_is_what_was_measured():
    title, target, *counts, levels, fmax, slowest, cycles, tokens = fpga_report.row(SMALL.key, ENTRY)
    assert (title, target) == ("small", TARGETS["ecp5"].title)
    assert counts == ["1,260", "700", "300", "", "3"]  # a carry cell is two places of LUTs, a LUT RAM six
    assert (levels, fmax, slowest, cycles, tokens) == ("7 + 4", "80.0", "70.5 of 4", "4,000", "20,000")


def test_a_row_says_how_it_is_made_again():
    """With the target, where it is not the usual one."""
    assert "`make pnr CONFIG=small SEED=3`" in fpga_report.render({SMALL.key: ENTRY})
    assert "`make pnr CONFIG=small SEED=3 FREQ=130`" in fpga_report.render({SMALL.key: ENTRY | {"target_mhz": 130.0}})


def test_a_speed_of_earlier_verilog_is_marked():
    old = ENTRY | {"fmax_verilog": "before"}
    assert DAGGER in fpga_report.row(SMALL.key, old)[-1] and DAGGER not in fpga_report.row(SMALL.key, ENTRY)[-1]
    assert "earlier Verilog" in fpga_report.render({SMALL.key: old})
    assert "earlier Verilog" not in fpga_report.render({SMALL.key: ENTRY})


def test_a_design_that_is_not_routed_has_no_rate():
    entry = {name: value for name, value in ENTRY.items() if not name.startswith(("fmax", "seed", "slow"))}
    assert fpga_report.row(SMALL.key, entry)[-4:] == ("", "", "4,000", "")


def test_a_part_that_is_too_small_is_named_with_what_is_short():
    page = fpga_report.render({SMALL.key: ENTRY})
    assert "| small | 144% block RAM (too large) | 278% block RAM (too large) |" in page


def test_the_page_tells_of_llama2_c_and_who_measured_it():
    page = fpga_report.render({})
    assert all(rate in page for _, rate in fpga_report.LLAMA2_C) and "measured elsewhere" in page


def test_what_has_not_changed_is_not_measured_again(measured):
    _, calls = measured
    assert fpga.measured(SMALL, {}, None) == ENTRY
    assert calls == ["area", "speed", "cycles"]
    del calls[:]
    assert fpga.measured(SMALL, ENTRY, None) == ENTRY
    assert calls == ["area", "speed"]
    assert fpga.measured(SMALL, ENTRY | {"verilog": "before"}, None) == ENTRY
    assert calls[2:] == ["area", "speed", "cycles"]


def test_a_routed_speed_stays_until_there_is_another(measured):
    found, _ = measured
    found["speed"] = {}
    before = ENTRY | {"verilog": "before", "fmax_verilog": "before"}
    assert fpga.measured(SMALL, before, None) == ENTRY | {"fmax_verilog": "before"}


def test_a_point_that_fails_is_one_line_and_the_others_go_on(measured):
    found, calls = measured
    found["cycles"] = SimulationError("the decoder is stuck")
    failures = fpga.collect([SMALL, SMALL], {}, None, lambda line: None)
    assert failures == ["small/ecp5: the decoder is stuck"] * 2 and "write" not in calls
    found["cycles"] = dict(cycles=4000.0, positions=16)
    entries = {"other/ecp5": {}}
    assert fpga.collect([SMALL], entries, None, lambda line: None) == [] and calls[-1] == "write"
    assert entries[SMALL.key] == ENTRY


def test_the_picture_is_the_same_every_time():
    entries = {Point(BASE).key: ENTRY, Point(BASE, lanes=8).key: ENTRY}
    assert fpga_report.picture(entries) == fpga_report.picture(entries)


@pytest.mark.skipif(not fpga.JSON.exists(), reason="nothing has been measured yet")
def test_the_page_says_what_the_json_file_says():
    assert fpga.MARKDOWN.read_text() == fpga_report.render(json.loads(fpga.JSON.read_text()))
