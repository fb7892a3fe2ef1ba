"""Toggles: every bit of every signal that changed, no other, in the right unit and of the right kind."""

import pytest
from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock, tied
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.sim.build import EVERYTHING, build, converted
from llama2_myhdl.sim.native import NativeSimulator
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.sim.toggles import Activity, unit

pytestmark = pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator counts them")

BITS, WIDE = 7, 70
ROUND = 2**BITS  # cycles of the counter from one 0 to the next
COUNTED = 2 * (ROUND - 1)  # toggles of it meanwhile


@hblock
def busy(clk, rst, count, wide, square, word):
    """A counter, a wide register that is inverted, a multiplier, and a memory of which each cycle changes a word."""
    ahead = Signal(modbv(0)[BITS:])
    factor = sint(BITS + 1)
    always_on = tied(bit(True))
    ram_ = ram(clk, always_on, count, wide, always_on, ahead, word, DEPTH=ROUND)

    @always_comb
    def add():
        ahead.next = count + 1
        factor.next = count

    @always(clk.posedge)
    def step():
        if rst:
            count.next = 0
            wide.next = 0
        else:
            count.next = ahead
            wide.next = ~wide

    @always(clk.posedge)
    def multiply():
        square.next = factor * factor

    return ram_, add, step, multiply


def ports():
    square = sint(2 * BITS + 2)
    return dict(clk=bit(), rst=bit(), count=uint(BITS), wide=uint(WIDE), square=square, word=uint(WIDE))


@pytest.fixture
def running():
    """The block out of reset, its memory written, and the counting of its toggles."""
    built = build(busy, ports(), "verilator", shown=EVERYTHING, library=True)
    with NativeSimulator(built.file, built.top) as sim:
        activity = Activity(sim, converted(busy, ports()))
        sim.set(rst=1)
        sim.run(3)
        sim.set(rst=0)
        sim.run(2 * ROUND)
        yield sim, activity


def test_every_bit_counts(running):
    """Exactly, in registers, wires and ports inside; the words of the memory and the clock do not."""
    sim, activity = running
    activity.start()
    sim.run(ROUND + 1)
    found = {(path, name): count for _, path, name, count in activity.take()}
    top, inside = sorted({path for path, _ in found}, key=len)
    assert inside == f"{top}.u_ram"
    assert [found[top, name] for name in ("count", "ahead", "factor", "wide")] == [*3 * [COUNTED], ROUND * WIDE]
    assert [found[inside, name] for name in ("waddr", "raddr", "wdata")] == [COUNTED, COUNTED, ROUND * WIDE]
    squares = [n * n for n in range(ROUND)]
    changes = sum((a ^ b).bit_count() for a, b in zip(squares, [*squares[1:], squares[0]]))
    assert found[top, "square"] == changes
    assert not [key for key in found if key[1] == "clk" or key[1].startswith("words")]
    assert all(count == 0 for _, _, _, count in activity.take())  # it begins anew


def test_kinds(running):
    sim, activity = running
    activity.start()
    sim.run(ROUND + 1)
    found = activity.table(activity.take())
    assert found.keys() == {"top", "ram"}
    assert found["top"]["operands"] == COUNTED
    assert found["top"]["all"] - found["top"]["registers"] == COUNTED  # `ahead`, all else that is no register is a name
    assert found["ram"]["ram ports"] == 2 * COUNTED + ROUND * WIDE + found["ram"]["registers"]
    assert found["ram"]["all"] == found["ram"]["registers"] > 0  # what is read


def test_what_stands_still_does_not_count(running):
    """In reset, and while it is stopped."""
    sim, activity = running
    sim.set(rst=1)
    sim.run(3)
    activity.start()
    sim.run(10)
    assert sum(count for *_, count in activity.take()) == 0
    activity.stop()
    sim.set(rst=0)
    sim.run(10)
    assert sum(count for *_, count in activity.take()) == 0


def test_units():
    assert unit("llama_decoder") == "top"
    assert unit("llama_decoder.u_loader.u_derive") == "loader"
    assert unit("llama_decoder.u_engine_0") == "engine_0"
    assert unit("llama_decoder.u_engine_0.u_matvec.u_issue") == unit("llama_decoder.u_engine_1.u_matvec") == "matvec"
    assert unit("llama_decoder.u_head.u_tail.u_argmax") == "tail"
