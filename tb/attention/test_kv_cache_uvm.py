"""pyuvm regression of the key/value cache: every sequence, layer, head and end of it, and rows read as they come."""

from dataclasses import replace

import pytest
import pyuvm

from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.presets import PRESETS
from tb.attention.kv_cache import kv_cache, ports
from tb.attention.uvm_cache import CacheEnv, CachePredictor
from tb.attention.uvm_cache_sequences import CacheWork
from tb.uvm.block_test import BlockTest
from tb.uvm.predictor import CorruptOne
from tb.uvm.scoreboard import Mismatch

TESTS = 3
NANO = replace(PRESETS["nano"].build, max_kv_heads=4, attention_units=2, sequences=2)
BUILDS = {"one bank": NANO, "two banks": replace(NANO, max_layers=5, max_seq=64)}


def check(name, sim):
    run(kv_cache, ports(BUILDS[name]), __name__, sim, parameters=dict(build=name), tests=TESTS)


@pytest.mark.uvm
@pytest.mark.skipif("icarus" not in SIMULATORS, reason="the small build is run in Icarus")
def test_one_bank_icarus():
    check("one bank", "icarus")


@pytest.mark.uvm
@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the build of two banks is run in Verilator")
def test_two_banks_verilator():
    check("two banks", "verilator")


class CacheTest(BlockTest):
    ENV, SEQUENCE = CacheEnv, CacheWork

    def settings(self):
        return super().settings() | dict(CFG=BUILDS[test_parameters()["build"]])


@pyuvm.test(timeout_time=10, timeout_unit="ms")
class RandomRows(CacheTest):
    """The whole coverage grid."""


class CorruptedKey(CorruptOne, CachePredictor):
    pass


class CorruptedValue(CorruptOne, CachePredictor):
    PORT, FIELD = "m_value", "exponent"


class OneHead(CacheWork):
    async def body(self):
        self.prepare()
        await self.tokens(1)


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongKeyIsSeen(CacheTest):
    """The scoreboard of key rows can fail: the lowest bit of a lane is wrong."""

    OVERRIDES, GOALS = {CachePredictor: CorruptedKey, CacheWork: OneHead}, False


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongValueIsSeen(CacheTest):
    """That of value rows can fail: the lowest bit of an exponent is wrong."""

    OVERRIDES, GOALS = {CachePredictor: CorruptedValue, CacheWork: OneHead}, False
