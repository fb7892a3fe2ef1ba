"""pyuvm regression of the layer engine: models of several shapes, layer counts, positions, traffic, slow tapes."""

from dataclasses import replace

import pytest
import pyuvm

from llama2_myhdl.rtl.layer.engine import engine, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.formats import F_MAX, F_MIN
from tb.layer.engine_bench import BUILD
from tb.layer.uvm_env import EngineEnv, EnginePredictor
from tb.layer.uvm_sequences import EngineWork, Model, Packet
from tb.uvm.block_test import BlockTest
from tb.uvm.predictor import CorruptOne
from tb.uvm.scoreboard import Mismatch

MODELS = {
    "two query heads a key head": ModelShape(16, 24, 2, 4, 2, 32, 16),
    "equal heads, hidden size of one block and a part": ModelShape(8, 22, 2, 2, 2, 29, 16),
    "one key head for three": ModelShape(12, 9, 2, 3, 1, 23, 16),
}
SHORT = ["ExtremePackets", "WrongElementIsSeen", "WrongCounterIsSeen", "WrongTapeIsSeen"]


@pytest.mark.uvm
@pytest.mark.parametrize("sim", SIMULATORS)
def test_engine_short(sim):
    run(engine, ports(BUILD.engine, head=False), __name__, sim, testcase=SHORT, tests=len(SHORT))


@pytest.mark.uvm
@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the long run is in Verilator")
def test_engine_verilator():
    run(engine, ports(BUILD.engine, head=False), __name__, "verilator", testcase="EveryPacket", tests=1)


class EngineTest(BlockTest):
    ENV, SEQUENCE, MODELS = EngineEnv, EngineWork, MODELS

    def settings(self):
        return super().settings() | dict(CFG=BUILD.engine, MODELS=self.MODELS)


@pyuvm.test(timeout_time=20, timeout_unit="ms")
class EveryPacket(EngineTest):
    """The whole coverage grid."""


class ExtremePacket(Packet):
    """Only the ends of the range, and what is next to them."""

    def element(self, rng, content):
        return rng.choice((F_MIN, F_MIN + 1, F_MAX - 1, F_MAX))


class OneLayer(EngineWork):
    """A layer of the last model: packets of both sequences, two positions."""

    PLACES = ((0, 0), (1, 0)), ((0, 1), (1, 1))

    async def body(self):
        name, shape = list(self.env.cdb_get("MODELS").items())[-1]
        model = await self.boot(name, replace(shape, n_layers=1))
        self.env.use("both", "pausing")
        for places in self.PLACES:
            await self.run(model, [(seq, pos, "mixed") for seq, pos in places])


class OnePacket(OneLayer):
    PLACES = (((0, 0),),)


@pyuvm.test(timeout_time=5, timeout_unit="ms")
class ExtremePackets(EngineTest):
    """The factory swaps packet and sequence; the environment is the same."""

    OVERRIDES, GOALS = {Packet: ExtremePacket, EngineWork: OneLayer}, False


class CorruptedElement(CorruptOne, EnginePredictor):
    PORT = "m"


@pyuvm.test(timeout_time=5, timeout_unit="ms", expect_error=Mismatch)
class WrongElementIsSeen(EngineTest):
    """The scoreboard of the elements can fail."""

    OVERRIDES, GOALS = {EnginePredictor: CorruptedElement, EngineWork: OnePacket}, False


class CorruptedCounter(CorruptOne, EnginePredictor):
    PORT, FIELD, NUMBER = "status", "saturations", 1


@pyuvm.test(timeout_time=5, timeout_unit="ms", expect_error=Mismatch)
class WrongCounterIsSeen(EngineTest):
    """The scoreboard of the counters can fail."""

    OVERRIDES, GOALS = {EnginePredictor: CorruptedCounter, EngineWork: OnePacket}, False


class OtherModel(Model):
    def payloads(self, head=False):
        *beats, last = super().payloads(head)
        return [*beats, dict(data=last["data"] ^ 1)]


@pyuvm.test(timeout_time=5, timeout_unit="ms", expect_error=Mismatch)
class WrongTapeIsSeen(EngineTest):
    """The predictor knows the model whose beats the tape carries."""

    OVERRIDES, GOALS = {Model: OtherModel, EngineWork: OnePacket}, False
