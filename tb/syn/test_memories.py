"""What each memory is in, and what is said of one that is not where it was meant to be."""

from dataclasses import replace

import pytest

from llama2_myhdl.syn.memories import Memory, filled, find, latches, parse
from llama2_myhdl.syn.targets import ECP5, XILINX
from tb.syn.nets import netlist

SCOPES = {"": "wrapped", "dut": "top", "dut.u_a": "a", "dut.u_a.u_ram": "ram"}
DUMP = r"""

  attribute \src "ram.v:2.37-2.45"
  attribute \ram_style "block"
  cell $mem_v2 \dut.u_a.u_ram.words_rd
    parameter \MEMID "\\dut.u_a.u_ram.words_rd"
    parameter \WIDTH 32
    parameter \SIZE 1024
    parameter \WR_PORTS 1
    parameter \INIT 32768'x
    connect \RD_DATA { $x [31:0] }
  end

  cell $mem_v2 $flatten\dut.\u_a.$auto$proc_rom.cc:155:do_switch$251
    parameter \WIDTH 10
    parameter \SIZE 256
    parameter \WR_PORTS 0
  end

  cell $mem_v2 \dut.u_a.queue
    parameter \WIDTH 8
    parameter \SIZE 16
    parameter \WR_PORTS 1
  end
"""
LATCH = "\n  cell $dlatch $flatten\\dut.\\u_a.$auto$proc_dlatch.cc:427:proc_dlatch$97\n    parameter \\WIDTH 1\n  end\n"
CELLS = r"""
    dut.u_a.u_ram.words_rd.0.0 DP16KD _a > _b
    dut.u_a.u_ram.words_rd.0.1 DP16KD _a > _c
    $flatten\dut.\u_a.$auto$proc_rom.cc:155:do_switch$251.0.0 DP16KD _a > _d
"""
RAM = Memory("u_a.u_ram.words_rd", 1024, 32, True, "block", "block", {"DP16KD": 2})


def found(cells=CELLS, target=ECP5):
    return find(list(parse(DUMP)), netlist(cells, SCOPES), target, "dut")


def test_a_memory_is_found_with_its_cells():
    ram, rom, queue = found()
    assert ram == RAM and not ram.fault()
    assert rom == Memory("u_a.table", 256, 10, False, "auto", "block", {"DP16KD": 1})
    assert queue == Memory("u_a.queue", 16, 8, True, "auto", "logic", {}) and not queue.large
    assert filled(ram, ECP5) == 1024 * 32 / (2 * 18 * 1024) and filled(queue, ECP5) is None


@pytest.mark.parametrize(
    "change, fault",
    [
        (dict(kind="distributed"), "must be in block RAM, are in distributed"),
        (dict(kind="logic"), "are in flip-flops"),
        (dict(intended="auto", kind="logic"), "are in flip-flops"),
        (dict(intended="ultra"), "must be in ultra RAM, are in block"),
        (dict(intended="auto", kind="logic", writable=False), ""),  # a table in LUTs
        (dict(intended="auto", kind="distributed"), ""),
        (dict(kind="logic", words=63), ""),
    ],
)
def test_a_memory_that_is_elsewhere_is_a_fault(change, fault):
    said = replace(RAM, **change).fault()
    assert fault in said and bool(fault) == bool(said)
    assert not said or said.startswith("u_a.u_ram.words_rd: 1024 words of 32 bits")


def test_a_memory_without_cells_is_in_logic():
    ram, *_ = found(CELLS.replace("words_rd.0", "others.0"))
    assert ram.kind == "logic" and ram.fault()


def test_of_two_kinds_the_larger_one_counts():
    mixed = CELLS.replace("words_rd.0.1 DP16KD", "words_rd.0.1 TRELLIS_DPR16X4")
    assert found(mixed)[0].kind == "block"
    ultra = "dut.u_a.u_ram.words_rd.0.0 URAM288 _a > _b"
    assert found(ultra, XILINX)[0].kind == "ultra"


def test_latches_are_named():
    assert latches(list(parse(DUMP))) == []
    (name,) = latches(list(parse(DUMP + LATCH)))
    assert "proc_dlatch" in name
