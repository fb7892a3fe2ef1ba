"""`check` ends a simulation when its fault shows outside reset, in MyHDL and in both simulators; hardware is empty."""

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import convert
from llama2_myhdl.rtl.stream.stream import bit
from llama2_myhdl.sim.clock import start, start_clock
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.syn import lint, tools
from tb.hdl.checked import MESSAGE, never_both, ports
from tb.myhdl_sim import simulate


@pytest.mark.parametrize("rst, a, b", [(0, 0, 1), (0, 1, 0), (1, 1, 1)])
def test_silent_in_myhdl(rst, a, b):
    assert simulate(never_both, ports(), 4 * [dict(rst=rst, a=a, b=b)], [], 0) == 4 * [{}]


def test_fires_in_myhdl():
    with pytest.raises(AssertionError, match=MESSAGE):
        simulate(never_both, ports(), 4 * [dict(rst=0, a=1, b=1)], [], 0)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_silent(sim):
    run(never_both, ports(), __name__, sim, testcase=["in_reset", "without_a_fault"], tests=2)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_fires(sim):
    """The log names the message and the instance."""
    with pytest.raises(AssertionError, match=rf"never_both\.u_watch: {MESSAGE}"):
        run(never_both, ports(), __name__, sim, testcase="with_a_fault")


@pytest.mark.parametrize("message", ['a "quote"', "100 %", "a \\n", "two\nlines"])
def test_refuses_text_that_verilog_would_read_otherwise(message):
    with pytest.raises(ValueError, match="MESSAGE is plain text"):
        check(bit(), bit(), bit(), MESSAGE=message)


def converted(folder):
    return [module.file.name for module in convert(never_both, folder, **ports())]


@pytest.mark.parametrize("reader", [lint.verilator, lint.icarus, pytest.param(lint.yosys, marks=pytest.mark.syn)])
def test_lint(reader, tmp_path):
    reader(tmp_path, converted(tmp_path), "never_both")


@pytest.mark.syn
def test_nothing_in_hardware(tmp_path):
    sources = converted(tmp_path)
    script = f"read_verilog {' '.join(sources)}; hierarchy -top check; proc; select -assert-none t:*"
    tools.run([tools.yowasp("yosys"), "-q", "-p", script], tmp_path, "yosys.out")


@cocotb.test(timeout_time=1, timeout_unit="us")
async def in_reset(dut):
    dut.rst.value, dut.a.value, dut.b.value = 1, 1, 1
    start_clock(dut)
    await ClockCycles(dut.clk, 10)
    dut.a.value = 0
    await ClockCycles(dut.clk, 2)


@cocotb.test(timeout_time=1, timeout_unit="us")
async def without_a_fault(dut):
    dut.a.value, dut.b.value = 1, 0
    await start(dut)
    await ClockCycles(dut.clk, 10)


@cocotb.test(timeout_time=1, timeout_unit="us")
async def with_a_fault(dut):
    dut.a.value, dut.b.value = 0, 1
    await start(dut)
    dut.a.value = 1
    await ClockCycles(dut.clk, 10)
