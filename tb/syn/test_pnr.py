"""What is told of a routed design: its critical path by instance, its fastest run, and a speed that is too low."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from llama2_myhdl.syn import pnr
from llama2_myhdl.syn.levels import PORTS
from llama2_myhdl.syn.nextpnr import Routed, Step
from llama2_myhdl.syn.pnr import Hop, Route

OWNER = {"ram": "dut.u_tape.u_ram", "sum": "dut.u_tape", "end": "dut", "pin": ""}
STEPS = (
    Step("clk-to-q", 5.5, "ram", "ram", ""),
    Step("routing", 2.0, "ram", "sum$CCU2_COMB0", "dut.word[0]"),
    Step("logic", 0.5, "sum$CCU2_COMB0", "sum$CCU2_COMB0", ""),
    Step("routing", 0.0, "sum$CCU2_COMB0", "sum$CCU2_COMB1", "carry"),
    Step("logic", 0.25, "sum$CCU2_COMB1", "sum$CCU2_COMB1", ""),
    Step("routing", 0.75, "sum$CCU2_COMB1", "$nextpnr_CCU2C_3$CCU2_COMB0", "carry"),
    Step("logic", 0.5, "$nextpnr_CCU2C_3$CCU2_COMB0", "$nextpnr_CCU2C_3$CCU2_COMB0", ""),
    Step("routing", 1.0, "$nextpnr_CCU2C_3$CCU2_COMB0", "end", "dut.sum[9]"),
    Step("setup", 0.0, "end", "end", ""),
    Step("routing", 1.0, "end", "pin", "result"),
    Step("setup", 0.0, "pin", "pin", ""),
)


def routed(fmax=80.0, path=STEPS):
    synthesis = SimpleNamespace(
        owner=OWNER,
        resources=SimpleNamespace(modules={"": "llama_top"}, total={}),
        subject=SimpleNamespace(name="small", what="a test"),
        sources=SimpleNamespace(folder=Path("nowhere"), digest="now"),
    )
    return Route(synthesis, Routed(1, 100, fmax, dict.fromkeys(pnr.NAMES, (1, 2)), path, {}))


def test_the_critical_path_is_told_by_instance():
    assert routed().path() == [
        Hop("u_tape.u_ram", "", 0, 5.5, 1),
        Hop("u_tape", "dut.word[0]", 2.0, 0.75, 2),  # a carry chain is one hop
        Hop("u_tape", "carry", 0.75, 0.5, 1),  # what nextpnr has added belongs to the chain
        Hop("llama_top", "dut.sum[9]", 1.0, 0, 1),
        Hop(PORTS, "result", 1.0, 0, 1),
    ]


def test_the_fastest_run_of_the_present_verilog_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(pnr.subjects, "ROOT", tmp_path)
    assert pnr.best("small", "now") is None
    folder = tmp_path / "small-ecp5"
    folder.mkdir()
    for seed, fmax, verilog in ((1, 80.0, "now"), (2, 82.5, "now"), (3, 99.0, "before")):
        figures = dict(fmax_mhz=fmax, seed=seed, verilog=verilog)
        (folder / f"pnr-{seed}.json").write_text(json.dumps(figures))
    found = pnr.best("small", "now")
    assert (found["seed"], found["seeds"]) == (2, 2) and found["slowest_mhz"] < found["fmax_mhz"]


@pytest.mark.parametrize(
    "arguments, fmax, status",
    [(["skid"], 89.9, pnr.FAILED), (["skid"], 90.0, 0), (["--config=small"], 10.0, 0),
     (["--config=small", "--min-freq=80"], 79.9, pnr.FAILED)],
)  # fmt: skip
def test_a_speed_that_is_too_low_is_a_failure(arguments, fmax, status, monkeypatch, capsys):
    monkeypatch.setattr(pnr, "route", lambda *_: routed(fmax))
    assert pnr.main(arguments) == status
    said = capsys.readouterr()
    assert f"{fmax} MHz" in said.out and ("are wanted" in said.err) == bool(status)
