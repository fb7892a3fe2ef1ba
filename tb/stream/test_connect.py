"""connect, carry and split: every combination of the handshake, and each field from where it is said to come."""

from itertools import product

import cocotb
import pytest
from cocotb.triggers import Timer

from llama2_myhdl.hdl.hierarchy import HierarchyError, convert, hblock
from llama2_myhdl.rtl.stream.connect import carry, connect
from llama2_myhdl.rtl.stream.split import split
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.sim.runner import SIMULATORS, run


@hblock
def junction(s, m, m_away, away, number):
    """s splits in two, with another tag on one side; each side goes on by connect."""
    near, far = Stream(data=sint(9), tag=uint(3)), Stream(data=sint(9), kind=uint(3))
    split_ = split(s, near, far, away, tag=number)
    onward = connect(near, m, both=True, last=away)
    sideways = connect(far, m_away, tag=far.kind, level=-5)
    return split_, onward, sideways


def ports():
    return dict(
        s=Stream(data=sint(9), kind=uint(3)),
        m=Stream(data=sint(9), tag=uint(3), both=bit(), last=bit()),
        m_away=Stream(data=sint(9), tag=uint(3), level=sint(4)),
        away=bit(),
        number=uint(3),
    )


@pytest.mark.parametrize("sim", SIMULATORS)
def test_connect(sim):
    run(junction, ports(), __name__, sim, tests=1)


def test_connect_is_assignments(tmp_path):
    """Inlined, one `assign` a field; the choice of ready is the only process."""
    (module,) = convert(junction, tmp_path, **ports())
    text = module.file.read_text()
    assert text.count("always") == 1
    for line in ("m_both = 1'b1;", "m_last = away;", "m_away_level = -5;"):
        assert f"assign {line}" in text


@pytest.mark.parametrize("block", [connect, carry])
def test_fields_must_fit(block):
    s, m = Stream(data=uint(4)), Stream(data=uint(4), last=bit())
    with pytest.raises(HierarchyError, match="nothing drives the sink's field last"):
        block(s, m)
    with pytest.raises(HierarchyError, match="the sink has no field lats"):
        block(s, m, lats=0)


@cocotb.test()
async def every_handshake(dut):
    compared = 0
    for valid, near_ready, far_ready, away, data in product((0, 1), (0, 1), (0, 1), (0, 1), (-256, -1, 255)):
        dut.s_valid.value, dut.m_ready.value, dut.m_away_ready.value = valid, near_ready, far_ready
        dut.away.value, dut.s_data.value, dut.s_kind.value, dut.number.value = away, data, 6, 3
        await Timer(1, "ns")
        assert (int(dut.m_valid.value), int(dut.m_away_valid.value)) == (valid and not away, valid and away)
        assert int(dut.s_ready.value) == (far_ready if away else near_ready)
        assert dut.m_data.value.to_signed() == dut.m_away_data.value.to_signed() == data
        assert (int(dut.m_tag.value), int(dut.m_both.value), int(dut.m_last.value)) == (3, 1, away)
        assert (int(dut.m_away_tag.value), dut.m_away_level.value.to_signed()) == (6, -5)
        compared += 1
    assert compared == 16 * 3
