"""Builds: nothing is done twice, what has changed or is damaged is done again, and only what is asked for is shown."""

import importlib
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.skid import skid
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.sim import build as building
from llama2_myhdl.sim import sources
from llama2_myhdl.sim.native import NativeSimulator
from llama2_myhdl.sim.remote import RemoteSimulator
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.sim.sources import digest_of_sources

in_verilator = pytest.mark.skipif("verilator" not in SIMULATORS, reason="a build of Verilator")
CONVERT, TRANSLATE, COMPILE, LINK, ICARUS = (
    "convert to Verilog",
    "translate to C++",
    "compile the hardware",
    "link",
    "compile for Icarus",
)
KINDS = {  # of products: simulator, library, all the steps, the last of them
    "icarus": ("icarus", False, [CONVERT, ICARUS], [ICARUS]),
    "program": ("verilator", False, [CONVERT, TRANSLATE, COMPILE, LINK], [TRANSLATE, COMPILE, LINK]),
    "library": ("verilator", True, [CONVERT, TRANSLATE, COMPILE, LINK], [TRANSLATE, COMPILE, LINK]),
}
PRODUCTS = [kind for kind, (sim, *_) in KINDS.items() if sim in SIMULATORS]

PART = """
def step():
    return {step}
"""
BLOCK = """
from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from changing.part import step

STEP = step()


@hblock
def adds(clk, a, y, more=0):
    @always(clk.posedge)
    def add():
        y.next = a + STEP

    return add
"""


def ports(bits=8):
    stream = Stream(data=uint(bits))
    return dict(clk=bit(), rst=bit(), s=stream, m=stream.clone())


@dataclass
class Bench:
    """Builds in a folder of their own; steps: what the last build had to do."""

    folder: Path
    steps: list[str] = field(default_factory=list)

    def build(self, kind, block=skid, arguments=None, **options):
        self.steps.clear()
        sim, library, *_ = KINDS[kind]

        def say(what, done, total):
            if what in (CONVERT, TRANSLATE, COMPILE, LINK, ICARUS) and what not in self.steps:
                self.steps.append(what)

        arguments = ports() if arguments is None else arguments
        return building.build(block, arguments, sim, library=library, say=say, **options)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "GENERATED", tmp_path / "builds")
    return Bench(tmp_path)


@pytest.fixture
def changing(tmp_path, monkeypatch):
    """Writes a package of a block and a part that it imports; returns the block as the files have it now."""
    folder = tmp_path / "changing"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "unused.py").write_text("")
    (folder / "block.py").write_text(BLOCK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions within a second look alike to Python
    monkeypatch.setattr(sources, "PACKAGES", (*sources.PACKAGES, "changing"))

    def load(step, **files):
        for name, text in dict(part=PART.format(step=step), **files).items():
            (folder / f"{name}.py").write_text(text)
        for name in [name for name in sys.modules if name.partition(".")[0] == "changing"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        forget()
        return importlib.import_module("changing.block").adds

    yield load
    for name in [name for name in sys.modules if name.partition(".")[0] == "changing"]:
        del sys.modules[name]
    forget()


def forget():
    """As a new process knows the sources."""
    for function in (sources._file, sources._imports, sources._reached, sources.digest_of_modules):
        function.cache_clear()


def adder_ports(bits=9):
    return dict(clk=bit(), a=uint(8), y=uint(bits))


@pytest.mark.parametrize("kind", PRODUCTS)
def test_nothing_is_done_twice(kind, bench, capfd):
    _, _, every, _ = KINDS[kind]
    first = bench.build(kind)
    assert bench.steps == every
    assert bench.build(kind) == first and bench.steps == []
    assert "damaged" not in capfd.readouterr().err


@in_verilator
def test_program_and_library_share_all_but_the_link(bench):
    bench.build("library")
    bench.build("program")
    assert bench.steps == [LINK]
    for kind in ("library", "program"):
        bench.build(kind)
        assert bench.steps == []


def test_converted_again_when_an_imported_source_changes(bench, changing, monkeypatch):
    """Not for a file beside it; the simulator's part is done again only where the Verilog is another one."""
    kind = PRODUCTS[0]
    every = KINDS[kind][2]
    built = bench.build(kind, changing(step=3), adder_ports())
    verilog = built.folder.parent / "verilog" / "llama_adds.v"
    assert bench.steps == every and "3" in verilog.read_text()
    bench.build(kind, changing(step=3), adder_ports())
    assert bench.steps == []
    bench.build(kind, changing(step=3, unused="x = 1\n"), adder_ports())
    assert bench.steps == []
    before = verilog.read_text()
    bench.build(kind, changing(step="1 + 2"), adder_ports())
    assert bench.steps == [CONVERT] and verilog.read_text() == before
    bench.build(kind, changing(step=5), adder_ports())
    assert bench.steps == every and verilog.read_text() != before


def test_the_digest_of_the_sources(changing):
    """Changes with ports, parameters, the block's own text and what it imports; with nothing else."""
    block = changing(step=3)
    first = digest_of_sources(block, adder_ports())
    assert digest_of_sources(block, adder_ports()) == first
    assert digest_of_sources(changing(step=3, unused="y = 2\n"), adder_ports()) == first
    others = [
        digest_of_sources(block, adder_ports(10)),
        digest_of_sources(block, adder_ports() | dict(more=1)),
        digest_of_sources(changing(step=4), adder_ports()),
        digest_of_sources(changing(step=3, block=BLOCK + "\n# more\n"), adder_ports()),
        digest_of_sources(skid, ports()),
    ]
    assert len({first, *others}) == 1 + len(others)
    assert digest_of_sources(changing(step=3, block=BLOCK), adder_ports()) == first


def test_the_digest_of_a_block_beside_the_project(changing, monkeypatch):
    """Of a block in a module of one's own the text counts, too."""
    monkeypatch.setattr(sources, "PACKAGES", tuple(name for name in sources.PACKAGES if name != "changing"))
    first = digest_of_sources(changing(step=3), adder_ports())
    assert digest_of_sources(changing(step=3, block=BLOCK + "\n# more\n"), adder_ports()) != first
    assert digest_of_sources(changing(step=3, block=BLOCK), adder_ports()) == first


def alive(kind, built) -> bool:
    """Whether a payload passes the skid buffer."""
    with NativeSimulator(built.file, built.top) if kind == "library" else RemoteSimulator(built) as sim:
        sim.set(rst=1, m_ready=1)
        sim.run(2)
        sim.set(rst=0)
        out = sim.recorder(["m_data"], "m")
        sim.source("s", ["data"]).send(data=77)
        sim.run(6)
        return out.take()[:, 1].tolist() == [77]


def halve(file):
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize("harm", [halve, Path.unlink], ids=["truncated", "deleted"])
@pytest.mark.parametrize("kind", PRODUCTS)
def test_a_damaged_product_is_built_anew(kind, harm, bench, capfd):
    file = bench.build(kind).file
    harm(file)
    built = bench.build(kind)
    assert capfd.readouterr().err == f"{file}: damaged, is built anew\n"
    assert bench.steps == KINDS[kind][3] and alive(kind, built)
    bench.build(kind)
    assert bench.steps == []


@pytest.mark.parametrize("text", ["", "{", "[1]", "garbage", '{"sources"'])
def test_a_stamp_that_cannot_be_read(text, bench, capfd):
    """Of the build and of the conversion."""
    kind = PRODUCTS[0]
    built = bench.build(kind)
    for stamp, steps in ((built.folder / "stamp", KINDS[kind][3]), (built.folder.parent / "conversion", [CONVERT])):
        stamp.write_text(text)
        bench.build(kind)
        assert capfd.readouterr().err == f"{stamp}: damaged, is built anew\n"
        assert bench.steps == steps
        bench.build(kind)
        assert bench.steps == []


@pytest.mark.parametrize("harm", [halve, Path.unlink], ids=["truncated", "deleted"])
def test_damaged_verilog_is_converted_anew(harm, bench, capfd):
    """And nothing more: the simulator's part was made from the same text."""
    kind = PRODUCTS[0]
    file = bench.build(kind).folder.parent / "verilog" / "llama_skid.v"
    text = file.read_bytes()
    harm(file)
    bench.build(kind)
    assert capfd.readouterr().err == f"{file}: damaged, is built anew\n"
    assert bench.steps == [CONVERT] and file.read_bytes() == text


@in_verilator
@pytest.mark.parametrize("kind", ["library", "program"])
def test_only_what_is_asked_for_is_shown(kind, bench):
    """Ports of the top always; a signal inside when its block is asked for it, by either road."""
    arguments = dict(ports(), DEPTH=4)
    inside, others = "u_ring.count", ("u_ring.write", "u_ring.read", "u_ring.push")
    for shown, visible in (({}, ()), ({"ring": ("count", "no_such_signal"), "nothing": ("write",)}, (inside,))):
        built = bench.build(kind, fifo, arguments, shown=shown)
        with NativeSimulator(built.file, built.top) if kind == "library" else RemoteSimulator(built) as sim:
            assert all(sim.has(port) for port in ("clk", "rst", "s_valid", "s_data", "m_ready"))
            assert [path for path in (inside, *others) if sim.has(path)] == list(visible)
            if visible:
                sim.set(rst=1, m_ready=0)
                sim.run(2)
                sim.set(rst=0)
                sim.source("s", ["data"]).send(3, data=1)
                sim.run(8)
                assert sim.get(inside) == 2  # the third one is in the output register
