"""pyuvm regression of an engine with the head: the engine's packets, answered by predictions of every kind."""

from dataclasses import replace

import pytest
import pyuvm

from llama2_myhdl.rtl.layer.engine import engine, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from tb.layer.engine_bench import BUILD
from tb.layer.test_engine_uvm import MODELS, EngineTest
from tb.layer.uvm_head import HeadEnv, HeadPredictor, HeadWork
from tb.layer.uvm_sequences import Model
from tb.sampling.uvm_env import KINDS
from tb.uvm.predictor import CorruptOne
from tb.uvm.scoreboard import Mismatch

SHORT = ["WrongTokenIsSeen", "WrongProbabilityIsSeen", "WrongListCounterIsSeen", "WrongHeadIsSeen"]


@pytest.mark.uvm
@pytest.mark.parametrize("sim", SIMULATORS)
def test_engine_head_short(sim):
    run(engine, ports(BUILD.engine, head=True), __name__, sim, testcase=SHORT, tests=len(SHORT))


@pytest.mark.uvm
@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the long run is in Verilator")
def test_engine_head_verilator():
    run(engine, ports(BUILD.engine, head=True), __name__, "verilator", testcase="EveryAnswer", tests=1)


class HeadTest(EngineTest):
    ENV, SEQUENCE, MODELS = HeadEnv, HeadWork, MODELS


@pyuvm.test(timeout_time=40, timeout_unit="ms")
class EveryAnswer(HeadTest):
    """The whole coverage grid."""


class AFewAnswers(HeadWork):
    """Tokens drawn with their log-probabilities, of the smallest model with one layer."""

    number = len(KINDS) + KINDS.index("temperature")

    async def body(self):
        name, shape = list(self.env.cdb_get("MODELS").items())[-1]
        model = await self.boot(name, replace(shape, n_layers=1))
        self.env.use("both", "pausing")
        await self.run(model, [(seq, 0, "mixed") for seq in (0, 1)])


class Corrupted(CorruptOne, HeadPredictor):
    NUMBER = 2


class CorruptedToken(Corrupted):
    FIELD = "token"


@pyuvm.test(timeout_time=5, timeout_unit="ms", expect_error=Mismatch)
class WrongTokenIsSeen(HeadTest):
    """The scoreboard of the predictions can fail."""

    OVERRIDES, GOALS = {HeadPredictor: CorruptedToken, HeadWork: AFewAnswers}, False


class CorruptedProbability(Corrupted):
    FIELD = "logprob"


@pyuvm.test(timeout_time=5, timeout_unit="ms", expect_error=Mismatch)
class WrongProbabilityIsSeen(HeadTest):
    """Also in the log-probability alone."""

    OVERRIDES, GOALS = {HeadPredictor: CorruptedProbability, HeadWork: AFewAnswers}, False


class CorruptedListCounter(Corrupted):
    PORT, FIELD, NUMBER = "status", "list_overflows", 1


@pyuvm.test(timeout_time=5, timeout_unit="ms", expect_error=Mismatch)
class WrongListCounterIsSeen(HeadTest):
    """The scoreboard of the counters can fail."""

    OVERRIDES, GOALS = {HeadPredictor: CorruptedListCounter, HeadWork: AFewAnswers}, False


class OtherHead(Model):
    """The last beat of what a scored packet needs is another one."""

    def payloads(self, head=False):
        *beats, last = super().payloads(head)
        return [*beats, dict(data=last["data"] ^ int(head))]


@pyuvm.test(timeout_time=5, timeout_unit="ms", expect_error=Mismatch)
class WrongHeadIsSeen(HeadTest):
    """The predictor knows the head whose beats the tape carries."""

    OVERRIDES, GOALS = {Model: OtherHead, HeadWork: AFewAnswers}, False
