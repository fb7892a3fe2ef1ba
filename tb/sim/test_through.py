"""A step between Verilog and simulator: what it makes is simulated, it is done once, and again when it has changed."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from llama2_myhdl.hdl.hierarchy import ModuleFile
from llama2_myhdl.rtl.stream.skid import skid
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.sim import build as building
from llama2_myhdl.sim import through
from llama2_myhdl.sim.native import NativeSimulator
from llama2_myhdl.sim.remote import RemoteSimulator
from llama2_myhdl.sim.runner import SIMULATORS

SENT = 77
INPUT = "assign entry = s_data"


@dataclass
class Inverting:
    """The top with its payload inverted on its way in. done: folders in which it was made."""

    name: str = "inverting"
    identity: str = "one"
    done: list[Path] = field(default_factory=list)

    def arguments(self, sim):
        return []

    def __call__(self, modules, folder):
        self.done.append(folder)
        top, text = modules[-1], modules[-1].file.read_text()
        assert text.count(INPUT) == 1
        file = folder / "inverting.v"
        file.write_text(text.replace(INPUT, INPUT.replace("= ", "= ~")))
        return [*modules[:-1], ModuleFile(top.name, file, top.block)]


def ports():
    stream = Stream(data=uint(8))
    return dict(clk=bit(), rst=bit(), s=stream, m=stream.clone())


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "GENERATED", tmp_path / "builds")

    def build(sim, through=None):
        return building.build(skid, ports(), sim, library=sim == "verilator", through=through)

    return build


def passed(built) -> int:
    """What comes out for SENT."""
    with NativeSimulator(built.file, built.top) if built.sim == "verilator" else RemoteSimulator(built) as sim:
        sim.set(rst=1, m_ready=1)
        sim.run(2)
        sim.set(rst=0)
        out = sim.recorder(["m_data"], "m")
        sim.source("s", ["data"]).send(data=SENT)
        sim.run(6)
        ((_, value),) = out.take().tolist()
        return value


@pytest.mark.parametrize("sim", SIMULATORS)
def test_what_the_step_makes_is_simulated(sim, build):
    """And the block as it is stays beside it."""
    step = Inverting()
    changed, plain = build(sim, step), build(sim)
    assert passed(changed) == 255 - SENT and passed(plain) == SENT
    assert build(sim, step) == changed and len(step.done) == 1


def test_done_again_when_it_has_changed_or_is_damaged(build, capfd):
    sim = SIMULATORS[0]
    build(sim, Inverting())
    other = Inverting(identity="two")
    build(sim, other)
    assert len(other.done) == 1 and "damaged" not in capfd.readouterr().err
    (other.done[0] / "inverting.v").write_text("")
    assert passed(build(sim, other)) == 255 - SENT
    assert len(other.done) == 2 and "inverting.v: damaged, is built anew" in capfd.readouterr().err


def test_the_environment_names_a_step(build, monkeypatch):
    """For builds that have none of their own."""
    sim = SIMULATORS[0]
    monkeypatch.setenv(through.VARIABLE, f"{__name__}:{Inverting.__name__}")
    assert passed(build(sim)) == 255 - SENT


@pytest.mark.parametrize("wanted", ["nonsense", "tb.sim.nonsense:Step", f"{__name__}:Nonsense", ":"])
def test_an_unknown_step_is_refused(wanted, build, monkeypatch):
    monkeypatch.setenv(through.VARIABLE, wanted)
    with pytest.raises(ValueError, match=f"BUILD_THROUGH: must be package.module:name of a step, is '{wanted}'"):
        build(SIMULATORS[0])
