"""pyuvm regression of the matvec: random and extreme matrices back to back, at every level of traffic."""

import numpy as np
import pytest
import pyuvm

from llama2_myhdl.golden.fixed.matvec import MAX_SHIFT
from llama2_myhdl.rtl.matvec.matvec import matvec, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.formats import UNIT
from llama2_myhdl.spec.kinds import KEY, LOGITS, ROW_KINDS
from llama2_myhdl.spec.presets import PRESETS
from tb.matvec.uvm_env import MatvecEnv, MatvecPredictor
from tb.matvec.uvm_sequences import Matrix, MatvecWork, Vector
from tb.uvm.block_test import BlockTest
from tb.uvm.predictor import CorruptOne
from tb.uvm.scoreboard import Mismatch, WrongCount

TESTS = 6
# 64 lanes have 20 times the numbers to multiply; the kind is a tag that the nano build shows to travel with its row
KINDS = {"nano": ROW_KINDS, "default": (KEY, LOGITS)}


@pytest.mark.uvm
@pytest.mark.parametrize("sim", SIMULATORS)
def test_nano(sim):
    run(matvec, ports(PRESETS["nano"].build), __name__, sim, parameters=dict(build="nano"), tests=TESTS)


@pytest.mark.uvm
@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the build of 64 lanes is run in Verilator")
def test_64_lanes_verilator():
    run(matvec, ports(PRESETS["default"].build), __name__, "verilator", parameters=dict(build="default"), tests=TESTS)


class MatvecTest(BlockTest):
    ENV, SEQUENCE = MatvecEnv, MatvecWork

    def settings(self):
        name = test_parameters()["build"]
        return super().settings() | dict(CFG=PRESETS[name].build, KINDS=KINDS[name])


@pyuvm.test(timeout_time=10, timeout_unit="ms")
class RandomMatrices(MatvecTest):
    """The whole coverage grid."""


class ExtremeVector(Vector):
    """Only the ends of the range; shifts of 0, of the most and beyond."""

    def mantissas(self, rng, count):
        edge = 1 << self.cfg.act_bits - 1
        return np.array([rng.choice((-edge, edge - 1))] * count)

    def scalar(self, rng):
        return rng.choice((1, UNIT)), rng.choice((-512, -MAX_SHIFT, -16, 0, 511))


class ExtremeMatrix(Matrix):
    def mantissas(self, rng, count):
        edge = 1 << self.cfg.weight_bits - 1
        return np.array([rng.choice((-edge, edge - 1))] * count)

    def row_exponent(self, rng):
        edge = 1 << self.cfg.exp_bits - 1
        return rng.choice((-edge, -1, 0, edge - 1))


@pyuvm.test(timeout_time=10, timeout_unit="ms")
class ExtremeMatrices(MatvecTest):
    """The factory swaps the transactions; environment, sequence and goals are the same."""

    OVERRIDES = {Matrix: ExtremeMatrix, Vector: ExtremeVector}


class Corrupted(CorruptOne, MatvecPredictor):
    PORT = "m_row"


class FewMatrices(MatvecWork):
    LEVELS = ("free",)


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongRowIsSeen(MatvecTest):
    """The scoreboard can fail: the lowest bit of one predicted row is wrong."""

    OVERRIDES, GOALS = {MatvecPredictor: Corrupted, MatvecWork: FewMatrices}, False


class OnePulseMore(MatvecPredictor):
    def build_phase(self):
        super().build_phase()
        self.pulses["saturated"] += 1


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=WrongCount)
class WrongPulseCountIsSeen(MatvecTest):
    """PulseCount can fail: one pulse more is predicted than comes."""

    OVERRIDES, GOALS = {MatvecPredictor: OnePulseMore, MatvecWork: FewMatrices}, False


class OneWeightMore(MatvecPredictor):
    def build_phase(self):
        super().build_phase()
        self.weight_beats += 1


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=WrongCount)
class WrongWeightCountIsSeen(MatvecTest):
    """TapeWatch can fail: one beat of weights more is predicted than passes."""

    OVERRIDES, GOALS = {MatvecPredictor: OneWeightMore, MatvecWork: FewMatrices}, False


class OtherTape(MatvecPredictor):
    def _finish(self, command):
        first = not self.heads
        super()._finish(command)
        if first:
            self.heads[0] ^= 1


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongTapeIsSeen(MatvecTest):
    """TapeWatch can fail: the first beat is predicted from the other tape."""

    OVERRIDES, GOALS = {MatvecPredictor: OtherTape, MatvecWork: FewMatrices}, False
