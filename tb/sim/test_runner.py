"""The runner: builds once, rebuilds when the Verilog changes, lays a Verilator out that works."""

import os
import subprocess
import sys

import cocotb
import pytest
from cocotb.triggers import ClockCycles
from myhdl import always

from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.sim import build as building
from llama2_myhdl.sim.build import build
from llama2_myhdl.sim.clock import start_clock
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.verilator import install


@hblock
def adds(clk, a, y, STEP=1):
    @always(clk.posedge)
    def step():
        y.next = a + STEP

    return step


def ports(**parameters):
    return dict(clk=bit(), a=uint(8), y=uint(9), **parameters)


@pytest.fixture
def own_builds(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "GENERATED", tmp_path)
    return tmp_path


def test_builds_once(own_builds):
    folder = build(adds, ports(), "icarus").folder
    first = (folder / "sim.vvp").stat().st_mtime_ns
    assert build(adds, ports(), "icarus").folder == folder
    assert (folder / "sim.vvp").stat().st_mtime_ns == first
    verilog = folder.parent / "verilog" / "llama_adds.v"
    verilog.write_text(verilog.read_text().replace("+", "-"))
    build(adds, ports(), "icarus")
    assert "+" in verilog.read_text()
    assert (folder / "sim.vvp").stat().st_mtime_ns == first  # the same Verilog as before


def test_builds_anew_when_the_verilog_changes(own_builds):
    folder = build(adds, ports(STEP=2), "icarus", name="named").folder
    first = (folder / "sim.vvp").stat().st_mtime_ns
    assert build(adds, ports(STEP=3), "icarus", name="named").folder == folder
    assert (folder / "sim.vvp").stat().st_mtime_ns > first


def test_an_unknown_simulator_is_refused():
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", __file__]
    found = {}
    for sim in ("questa", "icarus", ""):
        done = subprocess.run(command, cwd=PROJECT, env=os.environ | {"SIM": sim}, capture_output=True, text=True)
        found[sim] = (done.returncode == 0, "[verilator]" in done.stdout, done.stderr.strip())
    assert found["questa"] == (False, False, "ERROR: SIM is one of icarus, verilator, not questa")
    assert found["icarus"][:2] == (True, False) and found[""][:2] == (True, True)


def test_other_arguments_are_another_build(own_builds):
    folders = {build(adds, ports(STEP=step), "icarus").folder for step in (1, 2)}
    assert len(folders) == 2
    assert all(folder.parts[-3:-2] == ("adds",) and folder.name == "icarus" for folder in folders)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_parameters_reach_the_simulation(sim):
    assert run(adds, ports(STEP=5), __name__, sim, parameters={"step": 5, "text": 'a "b" $c'}) == 1


def test_verilator_answers_like_a_release(tmp_path):
    folder = install(tmp_path / "verilator")
    stamp = (folder.parent / "stamp").stat().st_mtime_ns
    assert install(tmp_path / "verilator") == folder
    assert (folder.parent / "stamp").stat().st_mtime_ns == stamp
    answer = subprocess.run([folder / "verilator", "--version"], capture_output=True, text=True, check=True).stdout
    assert answer == "Verilator 5.048\n"
    (tmp_path / "x.v").write_text("module x; initial $finish; endmodule\n")
    subprocess.run([folder / "verilator", "--lint-only", "x.v"], cwd=tmp_path, check=True)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def adds_the_parameter(dut):
    assert test_parameters()["text"] == 'a "b" $c'
    start_clock(dut)
    dut.a.value = 20
    await ClockCycles(dut.clk, 3)
    assert dut.y.value == 20 + test_parameters()["step"]
