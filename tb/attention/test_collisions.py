"""Rows that are written while they are read: with more rows than a token has a check ends the simulation."""

import cocotb
import pytest

from llama2_myhdl.rtl.attention.attention import attention, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.attention.attention_bench import BUILDS, AttentionBench

BUILD = BUILDS["nano"]
SURPLUS = 40  # rows of one kind too many: they come in every cycle in which the first one may be read


@pytest.mark.parametrize("sim", SIMULATORS)
@pytest.mark.parametrize("testcase, message", [
    ("key_rows", "a key row is read while it is written"),
    ("value_rows", "a value row is read while it is written"),
])
def test_collision_is_seen(sim, testcase, message):
    with pytest.raises(AssertionError, match=message):
        run(attention, ports(BUILD), __name__, sim, testcase=testcase)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_as_many_as_a_token_has(sim):
    run(attention, ports(BUILD), __name__, sim, testcase="right_rows", tests=1)


async def token(dut):
    bench = AttentionBench(dut, BUILD)
    bench.shape(4, 1, 1)
    await bench.start()
    return bench, *bench.token(0, 0, 0, "random")


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def right_rows(dut):
    bench, rows, values, wanted = await token(dut)
    await bench.send(rows, values, "early")
    await bench.check(wanted)
    assert bench.compared == 4


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def key_rows(dut):
    """Behind the token's key and query, the key row again and again."""
    bench, rows, values, wanted = await token(dut)
    await bench.send([*rows, *SURPLUS * rows[:1]], values, "early")
    await bench.check(wanted)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def value_rows(dut):
    """The value row again and again, before the query and behind it."""
    bench, rows, values, wanted = await token(dut)
    bench.values.send_nowait(*SURPLUS * values)
    bench.source.send_nowait(*rows)
    await bench.check(wanted)
