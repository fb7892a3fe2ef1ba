"""pyuvm regression of the decode loop: every end beside other sequences and in every traffic, slots again, errors."""

import pytest
import pyuvm

from llama2_myhdl.rtl.decode.decode_loop import decode_loop, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from tb.decode.loop_bench import build_of
from tb.decode.uvm_env import ErrorWatch, LoopEnv, LoopPredictor
from tb.decode.uvm_sequences import LoopWork
from tb.uvm.block_test import BlockTest
from tb.uvm.predictor import CorruptOne
from tb.uvm.scoreboard import Mismatch

SEQUENCES = (1, 2, 4)
TESTS = 6


@pytest.mark.uvm
@pytest.mark.parametrize("sequences", SEQUENCES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_decode_loop(sim, sequences):
    run(decode_loop, ports(build_of(sequences)), __name__, sim, parameters=dict(sequences=sequences), tests=TESTS)


class LoopTest(BlockTest):
    ENV, SEQUENCE = LoopEnv, LoopWork

    def settings(self):
        return super().settings() | dict(CFG=build_of(test_parameters()["sequences"]))


@pyuvm.test(timeout_time=10, timeout_unit="ms")
class EverySequence(LoopTest):
    """The whole coverage grid."""


class Few(LoopWork):
    """Something for every scoreboard."""

    async def work(self):
        await self.slots_again()
        await self.errors()


class CorruptedToken(CorruptOne, LoopPredictor):
    PORT, FIELD = "m_token", "token"


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongTokenIsSeen(LoopTest):
    OVERRIDES, GOALS = {LoopWork: Few, LoopPredictor: CorruptedToken}, False


class CorruptedRequest(CorruptOne, LoopPredictor):
    PORT, FIELD = "m_request", "scored"


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongRequestIsSeen(LoopTest):
    OVERRIDES, GOALS = {LoopWork: Few, LoopPredictor: CorruptedRequest}, False


class CorruptedError(CorruptOne, LoopPredictor):
    PORT, FIELD, NUMBER = "error", "code", 2


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongErrorIsSeen(LoopTest):
    OVERRIDES, GOALS = {LoopWork: Few, LoopPredictor: CorruptedError}, False


class Forgetful(ErrorWatch):
    def behind(self, standing, clear):
        return standing


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class UnclearedErrorIsSeen(LoopTest):
    """ErrorWatch can fail: it expects errors that nothing clears."""

    OVERRIDES, GOALS = {LoopWork: Few, ErrorWatch: Forgetful}, False


class CorruptedOrder(CorruptOne, LoopPredictor):
    PORT, FIELD = "order", "seed"


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongOrderIsSeen(LoopTest):
    OVERRIDES, GOALS = {LoopWork: Few, LoopPredictor: CorruptedOrder}, False
