"""The decode loop's live checks: a token too many on its way back is seen, and a reset of one cycle raises none."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, FallingEdge

from llama2_myhdl.rtl.decode.decode_loop import decode_loop, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.decode.loop_bench import LoopBench, build_of
from tb.hdl.planted import Planted

SLOTS = 2
OVERFLOW = "more tokens on their way back than sequences"
RIGHT = "again_valid = takes && sampled && (stop == GOES_ON)"
STUCK = Planted("decode_loop", RIGHT, "again_valid = 1'b1")


def run_test(sim, testcase, **more):
    run(decode_loop, ports(build_of(SLOTS)), __name__, sim, testcase=testcase, parameters=dict(sequences=SLOTS), **more)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_a_token_too_many_is_noticed(sim):
    """Tokens go on their way back that nothing has sampled."""
    with pytest.raises(AssertionError, match=OVERFLOW):
        run_test(sim, "nobody_asks", through=STUCK)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_reset_of_one_cycle(sim):
    """An answer that stands there in reset has overtaken nothing."""
    run_test(sim, "reset_beside_an_answer", tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def nobody_asks(dut):
    """No prompts, and requests that the layers do not take."""
    bench = LoopBench(dut, random.Random(14))
    bench.requests.pause(bench.rng, 1)
    await bench.start()
    await ClockCycles(dut.clk, 30)
    assert not bench.tokens.queue


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_beside_an_answer(dut):
    """An answer with a position that is not the next one, in the only cycle of a reset; the loop goes on behind it."""
    bench = LoopBench(dut, random.Random(15))
    await bench.start()
    for pos in range(1, 8):
        await FallingEdge(dut.clk)
        dut.rst.value, dut.s_prediction_valid.value, dut.s_prediction_pos.value = 1, 1, pos
        await FallingEdge(dut.clk)
        dut.rst.value, dut.s_prediction_valid.value = 0, 0
        await ClockCycles(dut.clk, 5)
        assert not bench.tokens.queue
