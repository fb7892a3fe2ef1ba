"""pyuvm regression of the nano decoder: several models booted in one run, sequences that end in every way."""

import cocotb
import pytest
import pyuvm
from pyuvm import ConfigDB

from llama2_myhdl.rtl.decoder import decoder, ports
from llama2_myhdl.rtl.layer.probes import shown
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import preset
from tb.decoder.uvm_env import DecoderEnv, DecoderPredictor
from tb.decoder.uvm_sequences import DecoderWork, Prompt
from tb.decoder.uvm_stages import Inside, StageEnv, StagePredictor, values
from tb.uvm.block_test import BlockTest
from tb.uvm.predictor import CorruptOne
from tb.uvm.scoreboard import Mismatch

BUILD = preset("nano").build
# shape, whether the classifier is the embedding; short contexts, for every sequence that ends there runs through it
MODELS = {
    "two layers, two query heads a key head": (ModelShape(16, 24, 2, 4, 2, 32, 6), True),
    "untied classifier, equal heads": (ModelShape(8, 22, 1, 2, 2, 29, 6), False),
    "one key head for three": (ModelShape(12, 9, 1, 3, 1, 23, 5), True),
}
SMALLEST = "untied classifier, equal heads"
SHORT = ["EveryStage", "WrongTokenIsSeen", "WrongStageIsSeen", "WrongStatusIsSeen"]
LONG = ["EveryEnd", "ExtremePrompts"]


@pytest.mark.long_runs(0)
@pytest.mark.uvm
@pytest.mark.parametrize("sim", SIMULATORS)
def test_stages(sim):
    run(decoder, ports(BUILD), __name__, sim, testcase=SHORT, tests=len(SHORT), shown=shown())


@pytest.mark.uvm
@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the long runs are in Verilator")
def test_ends_verilator():
    run(decoder, ports(BUILD), __name__, "verilator", testcase=LONG, tests=len(LONG), shown=shown())


class DecoderTest(BlockTest):
    ENV, SEQUENCE, MODELS = DecoderEnv, DecoderWork, MODELS

    def settings(self):
        return super().settings() | dict(CFG=BUILD, MODELS=self.MODELS)


@pyuvm.test(timeout_time=20, timeout_unit="ms")
class EveryEnd(DecoderTest):
    """The whole coverage grid; after a sequence with an error the next one runs right."""


class ExtremePrompt(Prompt):
    """Only the first and the last token of the vocabulary."""

    def token(self, rng, vocab):
        return rng.choice((0, vocab - 1))


class FewEnds(DecoderWork):
    """The ends that a prompt of two tokens' choice can reach whatever the weights are."""

    def ends(self):
        return [("steps", "one"), ("steps", "many"), ("token out of range", "few"), ("prompt too long", "many")]


@pyuvm.test(timeout_time=20, timeout_unit="ms")
class ExtremePrompts(DecoderTest):
    """The factory swaps prompt and sequence; the environment is the same."""

    OVERRIDES, GOALS = {Prompt: ExtremePrompt, DecoderWork: FewEnds}, False


class StagedWork(DecoderWork):
    """Two short sequences, promised at every stage."""

    def ends(self):
        return [("steps", "few"), ("token out of range", "few")]

    def promise(self, model, prompt):
        super().promise(model, prompt)
        counts = values(model.golden.shape)
        stages = self.env.cdb_get("STAGES")
        layers = prompt.forwards + prompt.unscored
        stages.promise(**{s: n * (prompt.forwards if s == "logit" else layers) for s, n in counts.items()})


class StagedTest(DecoderTest):
    """The active environment at the top and the passive one inside."""

    OVERRIDES, GOALS = {DecoderWork: StagedWork}, False

    def build_phase(self):
        super().build_phase()
        ConfigDB().set(None, "uvm_test_top.stages*", "SCOPE", Inside(cocotb.top.u_engine_0, cocotb.top))
        ConfigDB().set(None, "uvm_test_top.stages*", "ACTIVE", False)
        ConfigDB().set(None, "uvm_test_top.stages*", "GOALS", True)
        self.stages = StageEnv.create("stages", self)
        ConfigDB().set(None, "*", "STAGES", self.stages)

    def connect_phase(self):
        self.env.predictor.forwards.connect(self.stages.predictor.analysis_export)


@pyuvm.test(timeout_time=5, timeout_unit="ms")
class EveryStage(StagedTest):
    """Every value of every stage, on passive agents."""


class OneSequence(StagedWork):
    def ends(self):
        return [("steps", "few")]


class CorruptedToken(CorruptOne, DecoderPredictor):
    PORT, FIELD, NUMBER = "m_token", "token", 1


@pyuvm.test(timeout_time=5, timeout_unit="ms", expect_error=Mismatch)
class WrongTokenIsSeen(StagedTest):
    """The scoreboard of the tokens can fail."""

    OVERRIDES = {DecoderPredictor: CorruptedToken, DecoderWork: OneSequence}
    MODELS = {SMALLEST: MODELS[SMALLEST]}


class CorruptedStage(CorruptOne, StagePredictor):
    PORT = "attended"


@pyuvm.test(timeout_time=5, timeout_unit="ms", expect_error=Mismatch)
class WrongStageIsSeen(StagedTest):
    """The scoreboard of a stage can fail."""

    OVERRIDES = {StagePredictor: CorruptedStage, DecoderWork: OneSequence}
    MODELS = {SMALLEST: MODELS[SMALLEST]}


class CorruptedStatus(CorruptOne, DecoderPredictor):
    PORT, FIELD, NUMBER = "status", "weights", 1


@pyuvm.test(timeout_time=5, timeout_unit="ms", expect_error=Mismatch)
class WrongStatusIsSeen(StagedTest):
    """The scoreboard of counters and error codes can fail."""

    OVERRIDES = {DecoderPredictor: CorruptedStatus, DecoderWork: OneSequence}
    MODELS = {SMALLEST: MODELS[SMALLEST]}
