"""pack and unpack: every element in its place, signed and unsigned, narrow and wide."""
import random

import cocotb
import pytest
from myhdl import always

from llama2_myhdl.hdl.hierarchy import HierarchyError, convert, hblock
from llama2_myhdl.hdl.lanes import pack, pack_payload, unpack, unpack_payload
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from tb.myhdl_sim import simulate
from tb.pipeline import apply

LATENCY = 1
# lanes and bits of each; the last makes a bus of 2048 bits
SHAPES = [(2, 1), (5, 3), (256, 8)]


@hblock
def negate(clk, bus, out, LANES=4, BITS=8, SIGNED=True):
    """Each lane's bits inverted, in reverse order of lanes."""
    kind = sint if SIGNED else uint
    xs = [kind(BITS) for _ in range(LANES)]
    ys = [kind(BITS) for _ in range(LANES)]
    unpacking = unpack(bus, xs)
    packing = pack(ys, out)
    top = (1 << BITS) - 1

    if SIGNED:
        @always(clk.posedge)
        def step():
            for k in range(LANES):
                ys[k].next = -1 - xs[LANES - 1 - k]
    else:
        @always(clk.posedge)
        def step():
            for k in range(LANES):
                ys[k].next = top - xs[LANES - 1 - k]

    return unpacking, packing, step


def ports(lanes, bits, signed):
    return dict(clk=bit(), bus=uint(lanes * bits), out=uint(lanes * bits), LANES=lanes, BITS=bits, SIGNED=signed)


def vectors(lanes, bits):
    rng = random.Random(lanes)
    ones = (1 << (lanes * bits)) - 1
    alternating = sum(((1 << bits) - 1) << (2 * k * bits) for k in range(lanes // 2))
    return [dict(bus=value) for value in [0, ones, 1, alternating, *(rng.getrandbits(lanes * bits) for _ in range(60))]]


def golden(value, lanes, bits):
    mask = (1 << bits) - 1
    elements = [value >> (bits * k) & mask for k in range(lanes)]
    return sum((~element & mask) << (bits * k) for k, element in enumerate(reversed(elements)))


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("lanes, bits", SHAPES)
def test_in_myhdl(lanes, bits, signed):
    given = vectors(lanes, bits)
    found = simulate(negate, ports(lanes, bits, signed), given, ["out"], LATENCY)
    assert found == [dict(out=golden(vector["bus"], lanes, bits)) for vector in given]


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("lanes, bits", SHAPES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_lanes(sim, lanes, bits, signed):
    run(negate, ports(lanes, bits, signed), __name__, sim, parameters=dict(lanes=lanes, bits=bits), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_lanes(dut):
    p = test_parameters()
    given = vectors(**p)
    found = await apply(dut, given, dict(out=False), LATENCY)
    assert found == [dict(out=golden(vector["bus"], **p)) for vector in given]


@hblock
def shuffle(clk, x, y):
    """A payload through a packed register: mixed signed, bool and unsigned fields."""
    before = uint(x.width)
    after = uint(x.width)
    packing = pack_payload(x, before)
    unpacking = unpack_payload(after, y)

    @always(clk.posedge)
    def step():
        after.next = before

    return packing, unpacking, step


def test_payload():
    x = Stream(a=sint(7), b=bit(), c=uint(3)).bare()
    values = [dict(x_a=a, x_b=a & 1, x_c=a & 7) for a in range(-64, 64)]
    found = simulate(shuffle, dict(clk=bit(), x=x, y=Stream(**x.types()).bare()), values, ["y_a", "y_b", "y_c"], 1)
    assert [list(item.values()) for item in found] == [list(item.values()) for item in values]


@pytest.mark.parametrize("bus, count", [(uint(31), 4), (uint(33), 4), (uint(8), 0)])
def test_widths_must_add_up(bus, count):
    with pytest.raises(HierarchyError, match=f"{count} signals of {8 * count} bits"):
        unpack(bus, [sint(8) for _ in range(count)])
    with pytest.raises(HierarchyError, match=f"{count} signals of {8 * count} bits"):
        pack([sint(8) for _ in range(count)], bus)


def test_signals_of_two_lists(tmp_path):
    """MyHDL refuses a signal that two lists in use hold; lanes use none."""
    @hblock
    def both(clk, bus, out):
        xs = [sint(8) for _ in range(2)]
        ys = [sint(8) for _ in range(2)]
        unpacking = unpack(bus, xs + ys)
        total = [sint(9) for _ in range(2)]
        packing = pack([*total, *xs], out)

        @always(clk.posedge)
        def add():
            for k in range(2):
                total[k].next = xs[k] + ys[k]

        return unpacking, packing, add

    text = convert(both, tmp_path, bit(), uint(32), uint(34))[-1].file.read_text()
    assert "assign out = {xs[1][7:0], xs[0][7:0], total[1][8:0], total[0][8:0]};" in text
