"""The base of all tests: overrides, seed, environment, one sequence, and the end of the test."""

import cocotb
from pyuvm import ConfigDB, uvm_factory, uvm_sequence, uvm_test

from llama2_myhdl.sim.clock import start
from tb.uvm.env import BlockEnv
from tb.uvm.seed import generator, seed


class BlockSequence(uvm_sequence):
    """A virtual sequence: `env` is the environment whose sequencers it uses, `rng` its random stream."""

    env = rng = None


class BlockTest(uvm_test):
    """ENV, SEQUENCE: the classes to create through the factory. OVERRIDES: {class: its replacement} for the factory.

    SEED: unless the environment variable SEED says another. GOALS: whether empty coverage bins fail the test.
    """

    ENV, SEQUENCE, OVERRIDES, SEED, GOALS = BlockEnv, BlockSequence, {}, 1, True

    def build_phase(self):
        number = seed(self.SEED)
        self.logger.info(f"{type(self).__name__}: SEED={number}")
        for original, replacement in self.OVERRIDES.items():
            uvm_factory().set_type_override_by_type(original, replacement)
        for label, value in (self.settings() | dict(SEED=number, GOALS=self.GOALS, TEST=type(self).__name__)).items():
            ConfigDB().set(None, "*", label, value)
        self.rng = generator(number, type(self).__name__)
        self.env = self.ENV.create("env", self)

    def settings(self) -> dict:
        """What ConfigDB is to hold for all components."""
        return dict(SCOPE=cocotb.top, ACTIVE=True)

    async def run_phase(self):
        self.raise_objection()
        await start(cocotb.top)
        sequence = self.SEQUENCE.create("sequence")
        sequence.env, sequence.rng = self.env, self.rng
        await sequence.start()
        await self.env.drained()
        self.drop_objection()
