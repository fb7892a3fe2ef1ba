"""Scoreboards: predicted against actual, and nothing passes for having compared too little."""

from collections import defaultdict, deque

from pyuvm import uvm_component, uvm_scoreboard, uvm_subscriber

from llama2_myhdl.sim.clock import at_every_edge
from llama2_myhdl.sim.streams import reader
from tb.records import record

SHOWN = 5  # mismatches that are logged in full


class ScoreboardError(AssertionError):
    """A scoreboard is not satisfied; raised in check_phase."""


class Mismatch(ScoreboardError):
    """A predicted and an actual value differ."""


class LeftOver(ScoreboardError):
    """Something was predicted and never came, or came and was never predicted."""


class WrongCount(ScoreboardError):
    """Not as many comparisons as the test promised, or it promised none."""


class Scoreboard(uvm_scoreboard):
    """Compares beats (dicts) in order, on arrival. A field that is expected as None may be anything.

    SERIES: a field; beats that agree in it are a series with an order of its own, None: all of them are one.
    expected_export: from the predictor; actual_export: from the monitor. `promise` says how many comparisons a test
    owes. check_phase raises Mismatch, LeftOver or WrongCount. `values`: fields of the beats that were compared.
    """

    SERIES = None

    def build_phase(self):
        self.expected, self.actual = defaultdict(deque), defaultdict(deque)
        self.compared = self.promised = self.mismatches = self.values = 0
        self.expected_export = self._export("expected_export", self.expected)
        self.actual_export = self._export("actual_export", self.actual)

    def _export(self, name, queues):
        def write(beat):
            series = beat[self.SERIES] if self.SERIES else None
            queues[series].append(beat)
            expected, actual = self.expected[series], self.actual[series]
            while expected and actual:
                self._compare(expected.popleft(), actual.popleft())

        return uvm_subscriber.uvm_AnalysisImp(name, self, write)

    def _compare(self, expected, actual):
        known = {name: value for name, value in expected.items() if value is not None}
        if expected.keys() != actual.keys() or any(actual[name] != value for name, value in known.items()):
            self.mismatches += 1
            if self.mismatches <= SHOWN:
                self.logger.warning(f"comparison {self.compared}: expected {expected}, got {actual}")
        self.compared += 1
        self.values += sum(len(value) if isinstance(value, list) else 1 for value in known.values())

    def promise(self, count: int):
        """The test owes `count` more comparisons."""
        self.promised += count

    def forget(self) -> int:
        """Nothing of what has been predicted and has not come is expected any more; how many beats that are."""
        lost = sum(map(len, self.expected.values()))
        self.expected.clear()
        return lost

    @property
    def owed(self) -> int:
        return self.promised - self.compared

    def check_phase(self):
        name = self.get_full_name()
        if self.mismatches:
            raise Mismatch(f"{name}: {self.mismatches} of {self.compared} comparisons differ")
        expected, actual = (sum(map(len, queues.values())) for queues in (self.expected, self.actual))
        if expected or actual:
            raise LeftOver(
                f"{name}: {self.compared} compared, {expected} expected ones never came, "
                f"{actual} came and were not expected"
            )
        if not self.promised or self.owed:
            raise WrongCount(f"{name}: {self.compared} compared, {self.promised} promised")

    def report_phase(self):
        self.logger.info(f"{self.compared} compared, as promised, all equal")
        record("compared", test=self.cdb_get("TEST"), where=self.get_full_name(), values=self.values)


class PulseCount(uvm_component):
    """Counts the cycles in which a one-bit output is high, and compares with the predictor's number in check_phase.

    ConfigDB: SCOPE, the instance; PIN, the output's name; PREDICTOR, whose `pulses` has the expected number.
    """

    def build_phase(self):
        self.scope, self.pin, self.predictor = self.cdb_get("SCOPE"), self.cdb_get("PIN"), self.cdb_get("PREDICTOR")
        self.seen = 0
        self._high, self._rst = reader(getattr(self.scope, self.pin)), reader(self.scope.rst)

    async def run_phase(self):
        at_every_edge(self.scope.clk, self._count)

    def _count(self):
        self.seen += self._high() == "1" and self._rst() == "0"

    def check_phase(self):
        expected = self.predictor.pulses[self.pin]
        if self.seen != expected:
            raise WrongCount(f"{self.get_full_name()}: {self.seen} pulses, {expected} expected")

    def report_phase(self):
        self.logger.info(f"{self.seen} pulses, as predicted")
        record("compared", test=self.cdb_get("TEST"), where=self.get_full_name(), values=1)
