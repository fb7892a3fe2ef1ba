"""Predictors: beats seen at the inputs in, beats to be expected at the outputs out, by the integer golden model."""

from collections import Counter
from functools import partial

from pyuvm import uvm_analysis_port, uvm_component, uvm_subscriber


class Predictor(uvm_component):
    """Base: `take` is called with every beat that passes an input, and calls `predict`.

    It knows what the monitors see, not what the sequences meant to send. inputs: exports by port; expected: analysis
    ports by port or monitor; transactions: publishes whole transactions for the coverage; pulses: expected cycles of
    one-bit outputs by name. ConfigDB: PORTS, the environment's {name: Port}; MONITORED, names of its monitors.
    """

    def build_phase(self):
        ports = self.cdb_get("PORTS")
        self.pulses = Counter()
        self.transactions = uvm_analysis_port("transactions", self)
        self.inputs = {
            name: uvm_subscriber.uvm_AnalysisImp(f"{name}_export", self, partial(self.take, name))
            for name, port in ports.items()
            if port.driven
        }
        outputs = [name for name, port in ports.items() if not port.driven]
        self.expected = {
            name: uvm_analysis_port(f"{name}_ap", self) for name in (*outputs, *self.cdb_get("MONITORED"))
        }

    def take(self, port: str, beat: dict):
        """A beat has passed the input `port`."""
        raise NotImplementedError(f"{type(self).__name__}: take")

    def predict(self, port: str, beat: dict):
        """A beat is expected at the output `port`."""
        self.expected[port].write(beat)


class CorruptOne:
    """Mix-in for a predictor, to show that a scoreboard can fail: flips the lowest bit of one field of one beat."""

    PORT, FIELD, NUMBER = "m", "data", 7

    def predict(self, port, beat):
        if port == self.PORT:
            self.predicted = getattr(self, "predicted", 0) + 1
            if self.predicted == self.NUMBER:
                beat = beat | {self.FIELD: beat[self.FIELD] ^ 1}
        super().predict(port, beat)
