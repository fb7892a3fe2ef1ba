"""The longest ways by LUT levels, and loops."""

from llama2_myhdl.syn.instances import Tree
from llama2_myhdl.syn.levels import MOST, PORTS, Path, Ways, longest, too_long
from llama2_myhdl.syn.owners import owners
from llama2_myhdl.syn.targets import ECP5, XILINX
from tb.syn.nets import netlist

SCOPES = {"": "wrapped", "dut": "top", "dut.u_a": "a", "dut.u_b": "b"}
TEXT = """
    s TRELLIS_FF _s > dut.u_a.s
    l1 LUT4 dut.u_a.s _x > _1
    l2 LUT4 _1 dut.u_a.s > _2
    c1 CCU2C _2 > _c
    c2 CCU2C _c > _3
    m PFUMX _3 dut.u_a.s > _m
    l3 LUT4 _m > _4
    e TRELLIS_FF _4 > dut.u_b.e
    ram TRELLIS_DPR16X4 RAD0:dut.u_b.e DI0:_4 WAD0:dut.u_a.s > DO0:_word
    back TRELLIS_FF _word > dut.u_a.back
    pin TRELLIS_FF _pin > hold
    k LUT4 hold > _k
    t TRELLIS_FF _k > dut.u_a.t
"""


def paths(text, target=ECP5):
    nets = netlist(text, SCOPES)
    return longest(Ways(nets, target), owners(nets, Tree("", {})), "dut")


def test_luts_are_levels_and_carry_cells_are_counted_apart():
    found = paths(TEXT)
    assert Path(3, 2, "u_a", "u_b", "s", "e") in found
    assert [path.levels for path in found] == sorted((path.levels for path in found), reverse=True)


def test_a_look_up_in_a_lut_ram_is_a_level_and_its_write_port_an_end():
    found = {(path.start, path.end): path for path in paths(TEXT)}
    assert found["u_b", "u_a"] == Path(1, 0, "u_b", "u_a", "e", "back")
    ends = {cell.name for cell, _ in Ways(netlist(TEXT, SCOPES), ECP5).ends()}
    assert "ram" in ends


def test_ways_from_the_wrapper_begin_at_the_ports():
    found = {(path.start, path.end): path for path in paths(TEXT)}
    assert found[PORTS, "u_a"].levels == 1 and (PORTS, PORTS) not in found


def test_a_multiplier_ends_a_way():
    text = "s TRELLIS_FF _s > dut.u_a.s\nl LUT4 dut.u_a.s > _l\nm MULT18X18D _l > dut.u_b.p\n" \
        "n LUT4 dut.u_b.p > _n\nq TRELLIS_FF _n > dut.u_a.q"  # fmt: skip
    assert [(path.levels, path.start, path.end) for path in paths(text)] == [(1, "u_a", "u_b"), (1, "u_b", "u_a")]


def test_cells_of_ultrascale():
    text = "s FDRE _s > dut.u_a.s\na LUT6 dut.u_a.s > _a\nm MUXF7 _a > _m\nc CARRY4 _m > _c\nb LUT2 _c > _b\n" \
        "r RAM32M16 ADDRA:_b ADDRH:dut.u_a.s DIA:_c > DOA:_r\ne FDRE _r > dut.u_b.e"  # fmt: skip
    assert paths(text, XILINX)[0] == Path(3, 1, "u_a", "u_b", "s", "e")


def test_a_loop_is_found():
    assert Ways(netlist(TEXT, SCOPES), ECP5).loops == []
    looping = TEXT.replace("l1 LUT4 dut.u_a.s _x", "l1 LUT4 dut.u_a.s _m")
    assert Ways(netlist(looping, SCOPES), ECP5).loops == ["c1", "c2", "l1", "l2", "l3", "m"]


def test_a_way_of_too_many_levels_is_a_fault():
    assert too_long([Path(MOST, 9, "a", "b", "", "")]) == []
    assert too_long([Path(MOST + 1, 0, "a", "b", "", "")]) == ["13 LUT levels from a to b, at most 12 are wanted"]
