"""Whose a cell is, and how many of what an instance has."""

import pytest

from llama2_myhdl.syn import resources, tools
from llama2_myhdl.syn.cells import parse
from llama2_myhdl.syn.instances import tree
from llama2_myhdl.syn.owners import around, owners, within
from llama2_myhdl.syn.targets import ECP5, XILINX
from tb.syn.nets import TOP, netlist

FILES = {
    "leaf.v": """module leaf #(
    parameter WIDTH = 8
) (
    input  wire clk
);
always @(posedge clk) begin
    if (clk) q <= d;
end
endmodule
""",
    "unit.v": """module unit (
    input wire clk
);

leaf #(.WIDTH(8)) u_leaf_0 (
    .clk(clk)
);
leaf #(.WIDTH(1)) u_leaf_1 (
    .clk(clk)
);
endmodule
""",
    "top.v": """module top (
    input wire clk
);
unit u_a (
    .clk(clk)
);
unit u_b (
    .clk(clk)
);
endmodule
""",
    "wrapped.v": "module wrapped (input clk);\n  reg hold;\n  top dut (\n    .clk(clk)\n  );\nendmodule\n",
}
IN_A0 = "leaf.v:6.1-8.4|top.v:4.6-6.2|unit.v:5.7-7.2|wrapped.v:3.7-5.4|/share/ecp5/cells_map.v:83.1-83.9"
IN_B1 = "leaf.v:7.9-7.14|top.v:7.6-9.2|unit.v:8.7-10.2|wrapped.v:3.7-5.4"
IN_B = "top.v:7.6-9.2|unit.v:5.1-5.2|wrapped.v:3.7-5.4"
LIBRARY = "/share/lattice/cells_map_trellis.v:83.170-83.229"
TEXT = f"""
    state TRELLIS_FF _next > dut.u_b.d @ {IN_A0}
    dut.u_b.u_leaf_0.words.0.0 DP16KD dut.u_b.d > _word @ {LIBRARY}
    held TRELLIS_FF _word > result @ {IN_B1}
    queue TRELLIS_FF _word > dut.u_b.queue[0] @ {LIBRARY}
    hold TRELLIS_FF _pin > hold @ wrapped.v:2.3-2.9
    one LUT4 hold > _one @ {LIBRARY}
    both LUT4 _one > _both @ {LIBRARY}
    sum CCU2C _both > _next @ {LIBRARY}
    out TRELLIS_FF _both > dut.u_b.seen @ {IN_B1}
"""


def found():
    instances = tree(FILES, TOP)
    nets = netlist(TEXT, instances.scopes)
    return nets, owners(nets, instances)


def test_the_tree_is_that_of_the_files():
    scopes = {"": "wrapped", "dut": "top", "dut.u_a": "unit", "dut.u_b": "unit"}
    scopes |= {f"dut.u_{unit}.u_leaf_{number}": "leaf" for unit in "ab" for number in (0, 1)}
    assert tree(FILES, TOP).scopes == scopes


@pytest.mark.parametrize(
    "source, instance",
    [(IN_A0, "dut.u_a.u_leaf_0"), (IN_B1, "dut.u_b.u_leaf_1"), ("wrapped.v:2.3-2.9", ""), (LIBRARY, None), ("", None)],
)
def test_a_source_names_all_instances_around_it(source, instance):
    assert tree(FILES, TOP).instance(source) == instance


def test_a_cell_is_where_its_source_or_its_name_says():
    _, owner = found()
    assert owner["state"] == "dut.u_a.u_leaf_0"  # though its net has the name of a reader's port
    assert owner["held"] == "dut.u_b.u_leaf_1"
    assert owner["dut.u_b.u_leaf_0.words.0.0"] == "dut.u_b.u_leaf_0"
    assert owner["queue"] == "dut.u_b"
    assert owner["hold"] == ""


def test_rewritten_logic_is_of_what_it_feeds():
    _, owner = found()
    assert owner["sum"] == "dut.u_a.u_leaf_0"
    assert owner["both"] == owner["one"] == "dut"


def test_cells_that_feed_each_other_get_an_owner():
    instances = tree(FILES, TOP)
    text = f"a LUT4 _b > _a\nb LUT4 _a > _b\nc TRELLIS_FF _a > _q @ {IN_A0}\nd TRELLIS_FF _d > _d @ {LIBRARY}"
    owner = owners(netlist(text, instances.scopes), instances)
    assert owner["a"] == owner["b"] == "dut.u_a.u_leaf_0" and owner["d"] == ""


def test_counts_are_those_below_an_instance():
    nets, owner = found()
    counted = resources.count(nets, owner, ECP5, "dut")
    assert counted.total == {"LUT": 2, "carry": 1, "FF": 4, "LUT RAM": 0, "block RAM": 1, "DSP": 0}
    assert counted.below("u_b")["block RAM"] == counted.below("u_b.u_leaf_0")["block RAM"] == 1
    assert counted.below("u_a") == {"LUT": 0, "carry": 1, "FF": 1, "LUT RAM": 0, "block RAM": 0, "DSP": 0}
    assert counted.by_module()["leaf"]["FF"] == 3
    assert sum(counts["FF"] for counts in counted.by_module().values()) == counted.total["FF"]


def test_a_cell_that_no_column_counts_is_named():
    nets, _ = found()
    assert resources.uncounted(nets, ECP5) == []
    assert resources.uncounted(nets, XILINX) == ["CCU2C", "DP16KD", "TRELLIS_FF"]


def test_a_device_is_full_when_one_of_its_resources_is():
    counts = {"LUT": 50_000, "carry": 20_000, "FF": 1, "block RAM": 104}
    shares = resources.used(counts, ECP5, "ECP5-85F")
    assert shares["LUT"] == 90_000 / 83_640 > 1  # a carry cell takes the places of two LUTs
    assert shares["block RAM"] == 0.5
    small = resources.used({"block RAM": 72.5}, XILINX, "ZU5EV (K26, KV260)")
    assert small["block RAM"] == 72.5 / 144 and small["UltraRAM"] == 0


def test_paths_of_instances():
    assert within("dut.u_a", "dut") == "u_a" and within("dut", "dut") == "" and within("dutch", "dut") is None
    assert around(["a.b.c", "a.b.d", "a.b"]) == "a.b" and around(["a", "b"]) == "" and around([]) == ""


def test_a_netlist_without_the_module_is_refused():
    with pytest.raises(tools.ToolError, match=f"no module {TOP}"):
        parse({"modules": {}}, TOP, {})
