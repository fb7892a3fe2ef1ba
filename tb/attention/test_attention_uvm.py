"""pyuvm regression of the attention: tokens in sequence over layers, every head ratio, position and extreme."""

import pytest
import pyuvm

from llama2_myhdl.rtl.attention.attention import attention, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.kinds import KEY, QUERY, VALUE
from tb.attention.attention_bench import BUILDS as COMPILED
from tb.attention.uvm_env import AttentionEnv, AttentionPredictor
from tb.attention.uvm_sequences import AttentionWork, Token
from tb.uvm.block_test import BlockTest
from tb.uvm.predictor import CorruptOne
from tb.uvm.scoreboard import Mismatch

TESTS = 3
BUILDS = {
    "nano": COMPILED["nano"],
    "two units": COMPILED["2x2"],
}
# head_dim, kv_mul (the head ratio), n_kv_heads
SHAPES = {
    "nano": ((4, 1, 2), (2, 2, 2), (4, 3, 1), (4, 4, 1)),
    "two units": ((16, 1, 4), (8, 2, 4), (6, 3, 2), (10, 4, 2), (16, 8, 1)),
}


def check(name, sim):
    run(attention, ports(BUILDS[name]), __name__, sim, parameters=dict(build=name), tests=TESTS)


@pytest.mark.uvm
@pytest.mark.skipif("icarus" not in SIMULATORS, reason="the small build is run in Icarus")
def test_nano_icarus():
    check("nano", "icarus")


@pytest.mark.uvm
@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the build of two units is run in Verilator")
def test_two_units_verilator():
    check("two units", "verilator")


class AttentionTest(BlockTest):
    ENV, SEQUENCE = AttentionEnv, AttentionWork

    def settings(self):
        name = test_parameters()["build"]
        return super().settings() | dict(CFG=BUILDS[name], SHAPES=SHAPES[name])


@pyuvm.test(timeout_time=20, timeout_unit="ms")
class RandomTokens(AttentionTest):
    """The whole coverage grid."""


class RisingToken(Token):
    """Every key beats all before it, and so does the exponent of every value: the softmax moves at every step."""

    def row(self, rng, role, pos, head_dim, content):
        level = {KEY: 150 * (pos + 1), VALUE: rng.randint(-128, 127), QUERY: 4000}[role]
        return [level] * head_dim, {KEY: 9, VALUE: min(pos, 24), QUERY: 10}[role]


@pyuvm.test(timeout_time=20, timeout_unit="ms")
class RisingScores(AttentionTest):
    """The factory swaps the transaction; the largest score is the last one, always."""

    OVERRIDES, GOALS = {Token: RisingToken}, False

    def check_phase(self):
        counts = self.env.coverage.grid["largest score"].counts
        assert counts[("last",)] > 100 and not counts[("first",)] and not counts[("between",)]


class Corrupted(CorruptOne, AttentionPredictor):
    pass


class OneShape(AttentionWork):
    async def body(self):
        self.cfg = self.env.cdb_get("CFG")
        await self.tokens(self.env.cdb_get("SHAPES")[0], "mixed", 2)


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongElementIsSeen(AttentionTest):
    """The scoreboard can fail: the lowest bit of one predicted element is wrong."""

    OVERRIDES, GOALS = {AttentionPredictor: Corrupted, AttentionWork: OneShape}, False
