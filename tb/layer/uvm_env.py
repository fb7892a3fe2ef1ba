"""The layer engine's environment: packets and the tape's beats in, packets and counters out, by the integer model."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from llama2_myhdl.rtl.layer.engine import ports
from llama2_myhdl.spec.formats import F_MAX, F_MIN
from tb.decode.uvm_counters import CounterMonitor
from tb.uvm.coverage import Coverage
from tb.uvm.env import TRAFFIC, BlockEnv, streams_of
from tb.uvm.grid import Grid
from tb.uvm.predictor import Predictor
from tb.uvm.scoreboard import Mismatch

POSITIONS = ("first", "second", "later")
CONTENTS = ("mixed", "edge", "zero")  # of residual vectors
TAPES = {"steady": 0.0, "pausing": 0.3, "slow": 0.7}  # probability that the tape has no beat, cycle by cycle
CLIPPED = ("none", "some")
STATUS = ("weights", "headers", "tokens", "saturations")


def content_of(x) -> str:
    """`edge`: every element at one of the ends of the range."""
    if not np.any(x):
        return "zero"
    return "edge" if np.isin(x, (F_MIN, F_MAX)).all() else "mixed"


@dataclass(frozen=True)
class Passed:
    """A packet has passed the engine."""

    model: str
    layers: int
    seq: int
    pos: int
    content: str
    clipped: bool


class EnginePredictor(Predictor):
    """Runs the integer model's layers on the vectors that pass; ConfigDB: MODEL, whose beats the tape is to carry."""

    def build_phase(self):
        super().build_phase()
        self.cfg, self.model = self.cdb_get("CFG"), None
        self.x, self.vectors, self.beats = [], [], []

    def take(self, port, beat):
        if port == "s_tape":
            self.beats.append(beat["data"])
        else:
            self.x.append(beat)
            if beat["last"]:
                self.vectors.append(self.x)
                self.x = []
        while self.vectors:
            model, label = self.cdb_get("MODEL"), self.vectors[0][0]
            tape = model.tapes[self.classified(label)]
            if len(self.beats) < len(tape):
                break
            if self.beats[: len(tape)] != tape:
                raise Mismatch(f"{self.get_full_name()}: the tape carried something else than the model")
            self.beats = self.beats[len(tape) :]
            self._packet(self.vectors.pop(0), len(tape))

    def classified(self, label) -> bool:
        """Whether a packet needs the head."""
        return False

    def leave(self, golden, x, label):
        """Predict what comes of a packet whose residual vector is x behind the last layer."""
        for k, element in enumerate(x.tolist()):
            self.predict("m", dict(data=element, **label, last=int(k == len(x) - 1)))

    def _packet(self, beats, length):
        model, label = self.cdb_get("MODEL"), {name: beats[0][name] for name in ("seq", "pos", "scored")}
        if model is not self.model:
            self.model, self.counts = model, Counter()
        shape, x = model.shape, np.array([beat["data"] for beat in beats])
        golden = model.golden[label["seq"]]
        before = golden.saturations.count
        self.leave(golden, golden.layers(x, label["pos"], {}), label)
        weights = shape.beats(self.cfg.lanes, classifier=self.classified(label))
        self.counts.update(weights=weights, headers=length - weights, tokens=1)
        clipped = golden.saturations.count > before
        seen = Passed(model.get_name(), shape.n_layers, label["seq"], label["pos"], content_of(x), clipped)
        self.transactions.write(seen)

    def counted(self) -> dict[str, int]:
        """What the counters are to say now."""
        return dict(self.counts, saturations=sum(golden.saturations.count for golden in self.model.golden))

    def status(self):
        """The counters are about to be read."""
        self.predict("status", self.counted())


class StatusMonitor(CounterMonitor):
    NAMES = STATUS


class EngineCoverage(Coverage):
    """ConfigDB: CFG; MODELS, names of the models that the test promises."""

    def grids(self):
        cfg, models = self.cdb_get("CFG"), self.cdb_get("MODELS")
        self.top, layers = cfg.max_seq - 1, range(1, cfg.max_layers + 1)
        yield Grid("packets", model=models, layers=layers, seq=range(cfg.sequences), position=POSITIONS)
        yield Grid("vectors", content=CONTENTS, layers=layers, position=POSITIONS)
        yield Grid("traffic", position=POSITIONS, traffic=TRAFFIC)
        yield Grid("tape", tape=TAPES, traffic=TRAFFIC)
        yield Grid("saturations", values=CLIPPED)
        yield Grid("cache", filled=("to the last position", "less"))

    def write(self, packet: Passed):
        level, position = self.parent.level, POSITIONS[min(packet.pos, 2)]
        self.grid["packets"].sample(model=packet.model, layers=packet.layers, seq=packet.seq, position=position)
        self.grid["vectors"].sample(content=packet.content, layers=packet.layers, position=position)
        self.grid["traffic"].sample(position=position, traffic=level)
        self.grid["tape"].sample(tape=self.parent.tape, traffic=level)
        self.grid["saturations"].sample(values=CLIPPED[packet.clipped])
        self.grid["cache"].sample(filled="to the last position" if packet.pos == self.top else "less")


class EngineEnv(BlockEnv):
    """tape: how its beats come, one of TAPES."""

    PREDICTOR, COVERAGE, QUIET, HEAD = EnginePredictor, EngineCoverage, 500, False
    MONITORS = dict(status=StatusMonitor)

    def streams(self):
        return streams_of(ports(self.cdb_get("CFG"), head=self.HEAD))

    def build_phase(self):
        super().build_phase()
        self.tape = "steady"
        self.set(enable=0, select=0, freq_we=0)

    def use(self, level: str, tape: str):
        """Traffic, and the tape's own."""
        self.traffic(level)
        self.tape = tape
        self.agents["s_tape"].pause(TAPES[tape])
