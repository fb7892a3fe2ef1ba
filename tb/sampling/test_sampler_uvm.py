"""pyuvm regression of the sampler: every kind of settings, size of vocabulary and tie, at every level of traffic."""

from dataclasses import replace

import pytest
import pyuvm

from llama2_myhdl.rtl.sampling.sampler import ports, sampler
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.presets import PRESETS
from llama2_myhdl.spec.sampling import SCALE_BITS, SHIFT_MAX, SHIFT_MIN
from tb.sampling.test_sampler import BUILDS as OF_THE_TEST
from tb.sampling.uvm_env import SamplerEnv, SamplerPredictor
from tb.sampling.uvm_sequences import SamplerWork, Vocabulary
from tb.uvm.block_test import BlockTest
from tb.uvm.predictor import CorruptOne
from tb.uvm.scoreboard import Mismatch

TESTS = 4
BUILDS = {"nano": PRESETS["nano"].build, "512": OF_THE_TEST[512]}


def check(name, sim):
    run(sampler, ports(BUILDS[name]), __name__, sim, parameters=dict(build=name), tests=TESTS)


@pytest.mark.uvm
@pytest.mark.skipif("icarus" not in SIMULATORS, reason="the list of eight is run in Icarus")
def test_nano_icarus():
    check("nano", "icarus")


@pytest.mark.uvm
@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the whole list is run in Verilator")
def test_512_verilator():
    check("512", "verilator")


class SamplerTest(BlockTest):
    ENV, SEQUENCE = SamplerEnv, SamplerWork

    def settings(self):
        return super().settings() | dict(CFG=BUILDS[test_parameters()["build"]])


@pyuvm.test(timeout_time=10, timeout_unit="ms")
class RandomDraws(SamplerTest):
    """The whole coverage grid."""


class AnyScale(Vocabulary):
    """Temperatures beyond those that a host may say."""

    def settings(self, kind):
        scale, shift = self.rng.getrandbits(SCALE_BITS), self.rng.choice((SHIFT_MIN, SHIFT_MAX))
        return replace(super().settings(kind), scale=scale, shift=shift)


@pyuvm.test(timeout_time=10, timeout_unit="ms")
class ExtremeScales(SamplerTest):
    """The factory swaps the transactions; environment and sequence are the same."""

    OVERRIDES, GOALS = {Vocabulary: AnyScale}, False


class OneKind(SamplerWork):
    KIND = "temperature"

    async def body(self):
        for level, vocabulary in self.draws_of(self.KIND):
            await self.draw(level, vocabulary)


class GreedyOnes(OneKind):
    KIND = "greedy"


class CorruptedToken(CorruptOne, SamplerPredictor):
    FIELD, NUMBER = "token", 1


class CorruptedProbability(CorruptOne, SamplerPredictor):
    FIELD, NUMBER = "logprob", 1


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongDrawIsSeen(SamplerTest):
    """The scoreboard can fail: the lowest bit of one predicted token is wrong."""

    OVERRIDES, GOALS = {SamplerPredictor: CorruptedToken, SamplerWork: OneKind}, False


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongProbabilityIsSeen(SamplerTest):
    """Also where the token is of no account: the lowest bit of one log-probability is wrong."""

    OVERRIDES, GOALS = {SamplerPredictor: CorruptedProbability, SamplerWork: GreedyOnes}, False
