"""Whose a cell is: the instance that drives its net, whatever else the net is called."""

import pytest

from llama2_myhdl.syn import resources, tools
from llama2_myhdl.syn.cells import module_name, parse
from llama2_myhdl.syn.owners import around, owners, within
from llama2_myhdl.syn.targets import ECP5, XILINX
from tb.syn.nets import TOP, netlist

CONSUMER = "$paramod\\consumer\\WIDTH=s32'00001000"
SCOPES = {"dut": "top", "dut.u_a": "producer", "dut.u_b": CONSUMER, "dut.u_b.u_ram": "ram"}
DIRECTIONS = {
    "top": {"x": "input", "y": "output"},
    "producer": {"q": "output"},
    "consumer": {"d": "input", "y": "output"},
    "ram": {"raddr": "input"},
}
# the register in u_a is seen in u_b and in its RAM as well; one LUT feeds u_b alone, one feeds both
TEXT = """
    state TRELLIS_FF _next > dut.u_a.q=dut.wire=dut.u_b.d=dut.u_b.u_ram.raddr
    dut.u_b.u_ram.words.0.0 DP16KD dut.wire > _word
    held TRELLIS_FF _word > dut.u_b.y=dut.y=result
    hold TRELLIS_FF _pin > hold=dut.x
    one LUT4 dut.x > _one
    both LUT4 _one > _both
    sum CCU2C _both > _next
    out TRELLIS_FF _both > dut.u_b.seen
"""


def found():
    nets = netlist(TEXT, SCOPES)
    return nets, owners(nets, DIRECTIONS)


def test_a_cell_is_of_the_instance_that_drives_its_net():
    _, owner = found()
    assert owner["state"] == "dut.u_a"
    assert owner["held"] == "dut.u_b"
    assert owner["dut.u_b.u_ram.words.0.0"] == "dut.u_b.u_ram"
    assert owner["hold"] == ""


def test_without_the_directions_it_would_be_given_to_a_reader():
    nets = netlist(TEXT, SCOPES)
    assert owners(nets, {})["state"] == "dut.u_b.u_ram"


def test_rewritten_logic_is_of_what_it_feeds():
    _, owner = found()
    assert owner["sum"] == "dut.u_a"
    assert owner["both"] == owner["one"] == "dut"


def test_cells_that_feed_each_other_get_an_owner():
    nets = netlist("a LUT4 _b > _a\nb LUT4 _a > _b\nc LUT4 _a > dut.u_a.q", SCOPES)
    assert owners(nets, DIRECTIONS)["a"] == "dut.u_a"


def test_counts_are_those_below_an_instance():
    nets, owner = found()
    counted = resources.count(nets, owner, ECP5, "dut")
    assert counted.total == {"LUT": 2, "carry": 1, "FF": 3, "LUT RAM": 0, "block RAM": 1, "DSP": 0}
    assert counted.below("u_b")["block RAM"] == counted.below("u_b.u_ram")["block RAM"] == 1
    assert counted.below("u_a") == {"LUT": 0, "carry": 1, "FF": 1, "LUT RAM": 0, "block RAM": 0, "DSP": 0}
    assert counted.by_module()["consumer"]["FF"] == 2
    assert sum(counts["FF"] for counts in counted.by_module().values()) == counted.total["FF"]


def test_a_device_is_full_when_one_of_its_resources_is():
    counts = {"LUT": 50_000, "carry": 20_000, "FF": 1, "block RAM": 104}
    shares = resources.used(counts, ECP5, "ECP5-85F")
    assert shares["LUT"] == 90_000 / 83_640 > 1  # a carry cell takes the places of two LUTs
    assert shares["block RAM"] == 0.5
    small = resources.used({"block RAM": 72.5}, XILINX, "ZU5EV (K26, KV260)")
    assert small["block RAM"] == 72.5 / 144 and small["UltraRAM"] == 0


def test_names():
    assert within("dut.u_a", "dut") == "u_a" and within("dut", "dut") == "" and within("dutch", "dut") is None
    assert around(["a.b.c", "a.b.d", "a.b"]) == "a.b" and around(["a", "b"]) == "" and around([]) == ""
    assert module_name("$paramod$0123abcd\\llama_fifo") == module_name("llama_fifo") == "llama_fifo"


def test_a_netlist_without_the_module_is_refused():
    with pytest.raises(tools.ToolError, match=f"no module {TOP}"):
        parse({"modules": {}}, TOP)
