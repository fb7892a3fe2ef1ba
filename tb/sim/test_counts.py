"""Coverage counts: only builds that are told to have them, in a folder of their own; each simulation leaves a file."""

import pytest

from llama2_myhdl.coverage.counts import read
from llama2_myhdl.rtl.stream.skid import skid
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.sim import counts
from llama2_myhdl.sim.build import block_of, build
from llama2_myhdl.sim.native import NativeSimulator
from llama2_myhdl.sim.runner import SIMULATORS


def ports():
    stream = Stream(data=uint(2))
    return dict(clk=bit(), rst=bit(), s=stream, m=stream.clone())


def bits(file, count) -> set[str]:
    """Toggles of the payload with this count."""
    return {point.what for point, n in read([file]).items() if point.what.startswith("s_data") and n == count}


@pytest.mark.skipif("verilator" not in SIMULATORS, reason="counts of Verilator")
def test_each_simulation_leaves_its_own_counts(monkeypatch, tmp_path):
    monkeypatch.setenv(counts.VARIABLE, str(tmp_path / "counts"))
    built = build(skid, ports(), "verilator", library=True)
    assert built.folder.name == "verilator-coverage"
    for sent in ([1], [0]):
        with NativeSimulator(built.file, built.top) as sim:
            source = sim.source("s", ["data"])
            sim.set(rst=1, m_ready=1, s_data=0)
            sim.run(3)
            sim.set(rst=0)
            for value in sent:
                source.send(data=value)
            source.send(data=2)
            sim.run(10)
    first, second = sorted((tmp_path / "counts").glob("llama_skid-*.dat"))
    assert {count for point, count in read([first]).items() if point.what.startswith("m_data[")} <= {0, 1}
    assert bits(first, 1) == {"s_data[0]:0->1", "s_data[0]:1->0", "s_data[1]:0->1"}
    assert bits(second, 1) == {"s_data[1]:0->1"} and "s_data[0]:0->1" in bits(second, 0)
    assert {block_of(built.folder.parent / "verilog" / f"{built.top}.v")} == {"skid"}
    assert any(point.kind == "branch" and count for point, count in read([first, second]).items())


@pytest.mark.parametrize("sim, value", [("icarus", "somewhere"), ("verilator", ""), ("verilator", "0")])
def test_other_builds_know_nothing_of_them(sim, value, monkeypatch):
    if sim not in SIMULATORS:
        pytest.skip(f"{sim} is not wanted")
    monkeypatch.setenv(counts.VARIABLE, value)
    built = build(skid, ports(), sim, library=sim == "verilator")
    assert built.folder.name == sim and not built.extras.coverage
