"""The drivers themselves: a broken stream must fail a test, whichever rule it breaks."""
import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.sim.clock import at_every_edge, start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import ProtocolError, StreamMonitor, StreamSink, StreamSource


@hblock
def faulty(clk, rst, s, m, FAULT="none"):
    """Passes a stream through, except for what FAULT says: changes, withdraws, adds."""
    flip = bit()
    fault = {"none": 0, "changes": 1, "withdraws": 2, "adds": 3}[FAULT]

    @always_comb
    def wires():
        s.ready.next = m.ready
        m.valid.next = s.valid
        m.data.next = s.data
        if fault == 1:
            m.data.next = s.data ^ flip
        if fault == 2:
            m.valid.next = s.valid and not flip
        if fault == 3:
            m.data.next = s.data ^ 1

    @always(clk.posedge)
    def toggle():
        if rst:
            flip.next = False
        else:
            flip.next = not flip

    if fault in (0, 3):
        unused(flip)
    return wires, toggle


@hblock
def pass_on(source, target):
    @always_comb
    def wire():
        target.next = source

    return wire


@hblock
def never_driven(clk, rst, s, m, PIN):
    """One pin (m_valid, s_ready or m_data) is a register without reset that keeps its unknown start value."""
    ways = {"m_valid": (s.valid, m.valid), "s_ready": (m.ready, s.ready), "m_data": (s.data, m.data)}
    ignored, kept = ways.pop(PIN)
    wires = [pass_on(source, target) for source, target in ways.values()]

    @always(clk.posedge)
    def hold():
        if s.valid:
            kept.next = kept

    unused(rst, ignored)
    return wires, hold


def ports():
    return dict(clk=bit(), rst=bit(), s=Stream(data=uint(8)), m=Stream(data=uint(8)))


@pytest.mark.parametrize("fault, testcase", [("none", "passes"), ("changes", "caught"), ("withdraws", "caught"),
                                             ("adds", "data_differ")])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_drivers(sim, fault, testcase):
    run(faulty, dict(ports(), FAULT=fault), __name__, sim, testcase=testcase, tests=1)


@pytest.mark.skipif("icarus" not in SIMULATORS, reason="only Icarus has X")
@pytest.mark.parametrize("pin, testcase", [("m_valid", "unknown"), ("m_data", "unknown"), ("s_ready", "unknown"),
                                           ("s_ready", "unknown_to_the_source")])
def test_unknown(pin, testcase):
    run(never_driven, dict(ports(), PIN=pin), __name__, "icarus", testcase=testcase, tests=1)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_edges(sim):
    names = ["steps_come_before_the_test", "each_test_has_its_own_steps", "a_step_that_raises"]
    run(faulty, ports(), __name__, sim, testcase=names, tests=len(names))


@pytest.mark.parametrize("sim", SIMULATORS)
def test_a_failing_cocotb_test_fails(sim):
    """The same check without the expectation that it fails."""
    with pytest.raises(AssertionError, match="1 of 1 cocotb tests did not pass: not_expected"):
        run(faulty, dict(ports(), FAULT="changes"), __name__, sim, testcase="not_expected")


def test_counts_are_checked():
    sim = SIMULATORS[0]
    with pytest.raises(AssertionError, match="1 cocotb tests ran, expected 2"):
        run(faulty, dict(ports(), FAULT="none"), __name__, sim, testcase="passes", tests=2)
    with pytest.raises(AssertionError, match="no cocotb test ran|wrote no results"):
        run(faulty, dict(ports(), FAULT="none"), __name__, sim, testcase="no_such_test")
    with pytest.raises(AssertionError, match="no cocotb test ran|wrote no results|did not pass"):
        run(faulty, dict(ports(), FAULT="none"), "tb.no_such_module", sim)


async def traffic(dut):
    rng = random.Random(1)
    source, sink = StreamSource(dut, "s", data=8), StreamSink(dut, "m", data=8)
    watched = StreamMonitor(dut, "s", data=8)
    source.pause(rng, 0.3)
    sink.pause(rng, 0.5)
    await start(dut)
    sent = [dict(data=rng.randrange(256)) for _ in range(100)]
    await source.send(*sent)
    await ClockCycles(dut.clk, 5)
    assert list(watched.queue) == sent
    assert list(sink.queue) == sent
    assert sink.received == watched.received == source.sent == 100


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def passes(dut):
    await traffic(dut)


@cocotb.test(timeout_time=1, timeout_unit="ms", expect_error=ProtocolError)
async def caught(dut):
    await traffic(dut)


@cocotb.test(timeout_time=1, timeout_unit="ms", expect_error=ProtocolError)
async def unknown(dut):
    await traffic(dut)


@cocotb.test(timeout_time=1, timeout_unit="ms", expect_error=ProtocolError)
async def unknown_to_the_source(dut):
    """Without a monitor on its port."""
    source = StreamSource(dut, "s", data=8)
    await start(dut)
    await source.send(dict(data=1))


@cocotb.test(timeout_time=1, timeout_unit="ms", expect_fail=True)
async def data_differ(dut):
    await traffic(dut)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def not_expected(dut):
    await traffic(dut)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def wrong_fields(dut):
    with pytest.raises(ValueError, match="s_data has 8 bits, not 9"):
        StreamSource(dut, "s", data=9)
    source = StreamSource(dut, "s", data=8)
    with pytest.raises(ValueError, match="expected \\['data'\\]"):
        source.send_nowait(dict(dat=1))


def test_wrong_fields():
    run(faulty, dict(ports(), FAULT="none"), __name__, SIMULATORS[0], testcase="wrong_fields", tests=1)


async def stepped(dut):
    """What two steps and the test itself note in three cycles."""
    seen = []
    for name in "ab":
        at_every_edge(dut.clk, lambda name=name: seen.append(name))
    await start(dut)
    seen.clear()
    for _ in range(3):
        await ClockCycles(dut.clk, 1)
        seen.append("test")
    return seen


@cocotb.test(timeout_time=1, timeout_unit="us")
async def steps_come_before_the_test(dut):
    """In the order in which they were given; one that is given later begins with the next edge."""
    assert await stepped(dut) == 3 * ["a", "b", "test"]
    late = []
    at_every_edge(dut.clk, lambda: late.append(1))
    assert late == []
    await ClockCycles(dut.clk, 2)
    assert len(late) == 2


@cocotb.test(timeout_time=1, timeout_unit="us")
async def each_test_has_its_own_steps(dut):
    """Those of the test before are gone."""
    assert await stepped(dut) == 3 * ["a", "b", "test"]


@cocotb.test(timeout_time=1, timeout_unit="us", expect_error=ZeroDivisionError)
async def a_step_that_raises(dut):
    at_every_edge(dut.clk, lambda: 1 // 0)
    await start(dut)
    await ClockCycles(dut.clk, 10)
