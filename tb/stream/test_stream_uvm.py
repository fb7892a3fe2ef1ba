"""pyuvm regression of the blocks that hold stream entries, credits included: one environment for all of them.

The fifo of three is the example that `tb/uvm/test_uvm_base.py` shows the base on.
"""

import pytest
import pyuvm

from llama2_myhdl.sim.runner import SIMULATORS
from tb.stream.uvm_buffers import BUFFERS, BufferTest, check
from tb.stream.uvm_env import BufferPredictor, Occupancy
from tb.stream.uvm_sequences import RandomBursts
from tb.uvm.predictor import CorruptOne
from tb.uvm.scoreboard import Mismatch

TESTS = 3


@pytest.mark.uvm
@pytest.mark.parametrize("name", [name for name in BUFFERS if name != "fifo-3"])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_buffer(sim, name):
    check(name, __name__, sim, TESTS)


@pyuvm.test(timeout_time=1, timeout_unit="ms")
class RandomBeats(BufferTest):
    """The whole coverage grid."""


class Corrupted(CorruptOne, BufferPredictor):
    pass


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongBeatIsSeen(BufferTest):
    """The scoreboard can fail: the lowest bit of one predicted beat is wrong."""

    SEQUENCE, OVERRIDES, GOALS = RandomBursts, {BufferPredictor: Corrupted}, False


class OneMore(Occupancy):
    def room(self, m_ready):
        return self.held <= self.buffer.capacity


@pyuvm.test(timeout_time=1, timeout_unit="ms", expect_error=Mismatch)
class WrongRoomIsSeen(BufferTest):
    """Occupancy can fail: the block holds one entry less than it is taken to."""

    SEQUENCE, OVERRIDES, GOALS = RandomBursts, {Occupancy: OneMore}, False
