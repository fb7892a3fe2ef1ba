"""`make ip`: the folder stands alone. FuseSoC lints, simulates and synthesises it, LiteX elaborates it, its documents
are right and its driver works.

Marked `ip`, as it needs that extra; what is refused needs nothing.
"""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from llama2_myhdl.host.ip import driver_folder, package
from llama2_myhdl.sim.verilator import install
from llama2_myhdl.spec.control import REGISTERS
from llama2_myhdl.spec.presets import preset

CONFIG = "nano-kv"  # as nano, with all in memory
CORE = "llama2:myhdl:llama2_ip_nano_kv"
TOP = "llama_llama2_ip"
BUILD = preset(CONFIG).build


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("ip") / CONFIG
    assert package.run([CONFIG, "--output", str(made)]) == 0
    return made


def alone(command, folder, **more):
    """Run a command in a folder that knows nothing of the project."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    tools = os.pathsep.join([str(install().resolve()), os.path.dirname(sys.executable), environment["PATH"]])
    environment |= {"PATH": tools, "HOME": str(folder), "XDG_DATA_HOME": str(folder)} | more
    both = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return subprocess.run(command, cwd=folder, env=environment, **both)


def fusesoc(folder, work, *arguments, core=CORE):
    return alone(["fusesoc", "--cores-root", str(folder), "run", *arguments, core], work)


@pytest.mark.ip
def test_fusesoc_lints_it(folder, tmp_path):
    done = fusesoc(folder, tmp_path, "--target=lint")
    assert done.returncode == 0 and "%Warning" not in done.stdout, done.stdout
    # and the lint can object
    top = folder / "rtl" / "llama_lite_slave.v"
    text = top.read_text()
    try:
        top.write_text(text.replace("endmodule", "wire [3:0] nonsense = 2'b1;\nendmodule"))
        done = fusesoc(folder, tmp_path, "--target=lint", "--clean")
        assert done.returncode != 0 and "nonsense" in done.stdout
    finally:
        top.write_text(text)


@pytest.mark.ip
def test_fusesoc_simulates_it(folder, tmp_path):
    done = fusesoc(folder, tmp_path, "--target=sim")
    assert done.returncode == 0 and "PASS: 6 tokens" in done.stdout, done.stdout
    # and the testbench can fail
    memory = folder / "tb" / "memory.hex"
    text = memory.read_text()
    try:
        memory.write_text(text.replace("1", "2", 1))
        done = fusesoc(folder, tmp_path, "--target=sim", "--clean")
        assert done.returncode != 0 and "FAIL: " in done.stdout and "PASS" not in done.stdout
    finally:
        memory.write_text(text)


@pytest.mark.ip
def test_fusesoc_simulates_one_with_weights_of_16_bits(tmp_path):
    made = tmp_path / "wide"
    assert package.run([CONFIG, "--weight-bits=16", f"--output={made}"]) == 0
    done = fusesoc(made, tmp_path, "--target=sim", core=f"{CORE}_weight_bits16")
    assert done.returncode == 0 and "PASS: 6 tokens" in done.stdout, done.stdout


@pytest.mark.ip
def test_fusesoc_synthesises_it(folder, tmp_path):
    """The whole target, to a netlist of the device's cells: some 3 CPU minutes. The design has no latch."""
    assert shutil.which("yosys"), "no Yosys with Tcl, which edalize's scripts are in: apt-get install yosys"
    done = fusesoc(folder, tmp_path, "--target=synth")
    assert done.returncode == 0, done.stdout[-4000:]
    cells = dict(re.findall(r"^ +([A-Z]\w+) +(\d+)$", done.stdout.split("Printing statistics.")[-1], re.M))
    assert {"LUT4", "TRELLIS_FF", "DP16KD", "MULT18X18D"} <= set(cells), cells
    assert not [name for name in cells if "LATCH" in name], cells
    assert done.stdout.split("Executing CHECK pass")[-1].count("Found and reported 0 problems.") == 1
    netlist = next(tmp_path.rglob("*.json"))
    module = json.loads(netlist.read_text())["modules"][TOP]
    ports = {name for _, _, name in package.top_ports((folder / "rtl" / f"{TOP}.v").read_text())}
    assert set(module["ports"]) == ports


LITEX = """
import sys
sys.path.insert(0, "litex")
from migen import *
from litex.build.generic_platform import Pins
from litex.build.sim import SimPlatform
from litex.gen.fhdl.verilog import convert
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCMini
from llama2_ip import Llama2IP

class Crg(Module):
    def __init__(self, platform):
        self.clock_domains.cd_sys = ClockDomain()
        self.comb += [self.cd_sys.clk.eq(platform.request("sys_clk")), self.cd_sys.rst.eq(platform.request("sys_rst"))]

platform = SimPlatform("SIM", [("sys_clk", 0, Pins(1)), ("sys_rst", 0, Pins(1))], name="soc")
soc = SoCMini(platform, clk_freq=int(100e6), bus_standard="axi-lite")
soc.submodules.crg = Crg(platform)
soc.submodules.llama2 = Llama2IP(platform)
soc.bus.add_slave("llama2", soc.llama2.bus, SoCRegion(origin=0x90000000, size=0x1000, cached=False))
soc.bus.add_master("host", master=__import__("litex").soc.interconnect.axi.AXILiteInterface())
soc.finalize()
text = str(platform.get_verilog(soc, name="soc"))
print(text)
print("SOURCES", len(platform.sources), "MASTERS", len(soc.llama2.memory))
"""


@pytest.mark.ip
def test_litex_elaborates_it(folder):
    done = alone([sys.executable, "-c", LITEX], folder)
    assert done.returncode == 0, done.stdout
    header = (folder / "rtl" / f"{TOP}.v").read_text()
    for _, _, name in package.top_ports(header):
        assert f".{name}" in done.stdout.replace("  ", ""), name
    count = len(list((folder / "rtl").glob("*.v")))
    masters = sum(name.startswith("m_axi") and name.endswith("araddr") for _, _, name in package.top_ports(header))
    assert f"SOURCES {count} MASTERS {masters}" in done.stdout and masters == 4  # boot, tapes, embedding, cache


PYTHON_CLASS = """
import sys
sys.path.insert(0, "python")
from llama2_ip.reg_model.llama2_ip import llama2_ip_cls
from llama2_ip.lib import NormalCallbackSet
seen = []
def read(addr, width, accesswidth):
    seen.append(addr)
    return 0x5049324C
def write(addr, width, accesswidth, data):
    seen.append((addr, data))
model = llama2_ip_cls(callbacks=NormalCallbackSet(read_callback=read, write_callback=write), address=0x1000)
assert model.id.value.read() == 0x5049324C
model.image_bytes.value.write(77)
model.tape[1].high.read()
print(seen)
"""


@pytest.mark.ip
def test_the_documents_are_those_of_the_registers(folder):
    """The Python class and the C header say the addresses that the hardware has."""
    done = alone([sys.executable, "-c", PYTHON_CLASS], folder)
    address = {name: register.address + 0x1000 for name, register in REGISTERS.items()}
    assert done.returncode == 0, done.stdout
    assert str([address["id"], (address["image_bytes"], 77), address["tape[1].high"]]) in done.stdout
    program = folder / "check.c"
    names = {name: name for name in ("id", "control", "status", "prompt", "token", "build.lanes", "tape[1].high")}
    checks = "".join(
        f"_Static_assert(offsetof(llama2_ip_t, {member}) == {REGISTERS[name].address}, \"{name}\");\n"
        for name, member in names.items()
    )
    program.write_text(f'#include <stddef.h>\n#include "include/llama2_ip.h"\n{checks}')
    done = alone(["gcc", "-std=c11", "-fsyntax-only", "check.c"], folder)
    assert done.returncode == 0, done.stdout
    assert (folder / "registers" / "html" / "index.html").is_file()


@pytest.mark.ip
def test_the_driver_stands_alone(folder):
    """Imported without the project, it has the registers and refuses what is no block."""
    program = (
        "import sys; sys.path.insert(0, 'driver'); from registers import REGISTERS; "
        "from llama2_myhdl.host.driver import Driver; from llama2_myhdl.host.mapped import MappedWords; "
        "import llama2_myhdl.weights.memory; import llama2_myhdl; print(llama2_myhdl.__file__, len(REGISTERS)); "
        "open('page', 'wb').write(bytes(4096)); Driver(MappedWords('page'), None, REGISTERS)"
    )
    done = alone([sys.executable, "-c", program], folder)
    assert f"{folder}/driver/llama2_myhdl/__init__.py {len(REGISTERS)}" in done.stdout
    assert "no llama2.myhdl at this address" in done.stdout


def test_the_driver_is_small():
    """What a host needs of the project knows no hardware, no simulator and no package but numpy."""
    names = driver_folder.modules()
    assert not [name for name in names if name.split(".")[0] in ("rtl", "sim", "hdl", "golden", "syn")]
    assert "spec.control" not in names and "host.driver" in names


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["nonsense"], "ip: configuration 'nonsense': must be one of"),
        (["nano", "--lanes", "3"], "ip: lanes: must be a power of two"),
        (["nano", "--sequences", "3"], "ip: sequences: must be a power of two"),
        (["nano", "--output", "{there}"], "is there and no IP folder"),
    ],
)
def test_bad_input(arguments, words, tmp_path, capsys):
    """One line, exit status 2, and nothing changed."""
    there = tmp_path / "there"
    there.mkdir()
    (there / "mine.txt").write_text("mine")
    assert package.run([argument.format(there=there) for argument in arguments]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["there", "mine.txt"]


def test_an_ip_folder_is_replaced_whole_or_not_at_all(tmp_path):
    target = tmp_path / "ip"

    def write(text):
        def make(folder):
            (folder / package.CORE).write_text(text)
            if text == "fails":
                raise OSError("no room")

        return make

    package.replace_folder(target, write("one"))
    (target / "old").touch()
    with pytest.raises(OSError, match="no room"):
        package.replace_folder(target, write("fails"))
    assert (target / package.CORE).read_text() == "one" and (target / "old").exists()
    package.replace_folder(target, write("two"))
    assert [path.name for path in tmp_path.rglob("*")] == ["ip", package.CORE]
    assert (target / package.CORE).read_text() == "two"
