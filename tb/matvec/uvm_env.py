"""The matvec's environment: predicted by golden.fixed.matvec from the beats that its monitors see."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from pyuvm import uvm_component

from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.golden.fixed.matvec import MAX_SHIFT, Activation, matvec
from llama2_myhdl.rtl.matvec.matvec import ports
from llama2_myhdl.sim.clock import at_every_edge
from llama2_myhdl.sim.streams import reader
from llama2_myhdl.spec.causes import CAUSES, HEADER, WEIGHTS
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.kinds import GAIN
from llama2_myhdl.spec.quantised import QuantisedMatrix
from tb.uvm.coverage import Coverage
from tb.uvm.env import TRAFFIC, BlockEnv, streams_of
from tb.uvm.grid import Grid
from tb.uvm.predictor import Predictor
from tb.uvm.scoreboard import Mismatch, WrongCount

BEATS = ("one", "between", "most")  # beats a row
REMAINDERS = ("0", "1", "between", "LANES-1")  # rows modulo LANES
RESULTS = ("zero", "negative", "positive", "clipped")
SHIFTS = ("0", "between", str(MAX_SHIFT))
USES = (1, 2, 3)  # matrices that meet one activation vector
TAPES = ("layers", "head")


def lanes_of(word: int, count: int, bits: int) -> np.ndarray:
    """Signed lanes of a packed word, lane 0 low; bits: 8 or 16."""
    return np.frombuffer(word.to_bytes(count * bits // 8, "little"), f"<i{bits // 8}").astype(np.int64)


@dataclass(frozen=True)
class Product:
    """A finished command. results: F values, none for GAIN; uses: with release, how many matrices met its vector."""

    kind: int
    rows: int
    beats: int
    head: int
    results: tuple = ()
    shifts: tuple = ()
    clipped: int = 0
    uses: int = 0


class MatvecPredictor(Predictor):
    """Puts commands, tape beats, activation words and scalars together again, and multiplies.

    heads: of each beat whether it comes from the head's tape; weight_beats: how many are weights.
    """

    def build_phase(self):
        super().build_phase()
        self.cfg: BuildConfig = self.cdb_get("CFG")
        self.commands, self.beats, self.vectors, self.scales = deque(), deque(), deque(), deque()
        self.words, self.heads = [], []
        self.uses = self.weight_beats = 0

    def take(self, port, beat):
        if port == "s_cmd":
            self.commands.append(beat)
        elif port == "s_tape":
            self.beats.append(beat["data"])
        elif port == "s_scale":
            self.scales.append(beat)
        else:
            self._word(beat)
        while self.commands and self._ready(self.commands[0]):
            self._finish(self.commands.popleft())

    def _word(self, beat):
        self.words.append(lanes_of(beat["data"], self.cfg.lanes, self.cfg.act_bits))
        if beat["last"]:
            self.vectors.append(np.concatenate(self.words))
            self.words = []

    def _ready(self, command):
        if command["kind"] == GAIN:
            return len(self.beats) >= command["beats"]
        groups = -(-command["rows"] // self.cfg.lanes)
        return self.vectors and self.scales and len(self.beats) >= groups + command["rows"] * command["beats"]

    def _finish(self, command):
        before = len(self.beats)
        self._result(command)
        self.heads += [command["head"]] * (before - len(self.beats))

    def _result(self, command):
        if command["kind"] == GAIN:
            for _ in range(command["beats"]):
                self.predict("m_gain", dict(data=self.beats.popleft()))
            self.transactions.write(Product(GAIN, 0, command["beats"], command["head"]))
            return
        rows, beats, stats = command["rows"], command["beats"], Tally()
        act, matrix = self._activation(command), self._matrix(rows, beats)
        results = matvec(matrix, act, stats).tolist()
        for number, result in enumerate(results):
            self.predict("m_row", dict(data=result, kind=command["kind"], last=int(number == rows - 1)))
        self.weight_beats += rows * beats
        self.pulses["saturated"] += stats.count
        uses, self.uses = (self.uses, 0) if command["release"] else (0, self.uses)
        shifts = np.clip(-(matrix.exponent + act.scale), 0, MAX_SHIFT).tolist()
        self.transactions.write(
            Product(command["kind"], rows, beats, command["head"], tuple(results), tuple(shifts), stats.count, uses)
        )

    def _activation(self, command):
        """The oldest vector, as much of it as the rows are long."""
        mantissa, scalar = self.vectors[0], self.scales[0]
        if command["release"]:
            self.vectors.popleft()
            self.scales.popleft()
        self.uses += 1
        return Activation(mantissa[: command["beats"] * self.cfg.lanes], scalar["factor"], scalar["scale"])

    def _matrix(self, rows, beats):
        lanes = self.cfg.lanes
        mantissa, exponent = [], []
        for row in range(rows):
            if row % lanes == 0:
                exponent += lanes_of(self.beats.popleft(), lanes, self.cfg.exp_bits).tolist()
            parts = [lanes_of(self.beats.popleft(), lanes, self.cfg.weight_bits) for _ in range(beats)]
            mantissa.append(np.concatenate(parts))
        return QuantisedMatrix(np.array(mantissa), np.array(exponent[:rows]))


class TapeWatch(uvm_component):
    """Checks the cause of every cycle against what passed in the one before, and from_head with every beat.

    ConfigDB: SCOPE, the instance; PREDICTOR.
    """

    def build_phase(self):
        self.scope, self.predictor = self.cdb_get("SCOPE"), self.cdb_get("PREDICTOR")
        self.causes, self.heads, self.wrong = [0] * len(CAUSES), [], 0
        self._passed = None  # a beat of the tape, in the cycle before; not known behind a reset
        pins = ("rst", "cause", "s_tape_valid", "s_tape_ready", "from_head")
        self._pins = [reader(getattr(self.scope, name)) for name in pins]

    async def run_phase(self):
        at_every_edge(self.scope.clk, self._step)

    def _step(self):
        rst, cause, valid, ready, head = self._pins
        if rst() != "0":
            self._passed = None
            return
        cause = int(cause(), 2)
        self.wrong += self._passed is not None and self._passed != (cause in (WEIGHTS, HEADER))
        self.causes[cause] += 1
        self._passed = valid() == "1" and ready() == "1"
        if self._passed:
            self.heads.append(int(head(), 2))

    def check_phase(self):
        if self.wrong or self.heads != self.predictor.heads:
            raise Mismatch(f"{self.get_full_name()}: from_head with a beat, or {self.wrong} causes")
        if self.causes[WEIGHTS] != self.predictor.weight_beats or not self.predictor.weight_beats:
            text = f"causes {self.causes}, {self.predictor.weight_beats} beats of weights"
            raise WrongCount(f"{self.get_full_name()}: {text}")

    def report_phase(self):
        self.logger.info(f"{len(self.heads)} beats, causes {dict(zip(CAUSES, self.causes))}")


class MatvecCoverage(Coverage):
    """ConfigDB: CFG, and KINDS, the kinds of matrices that the test promises."""

    def build_phase(self):
        self.cfg = self.cdb_get("CFG")
        super().build_phase()

    def grids(self):
        yield Grid("matrices", kind=self.cdb_get("KINDS"), beats=BEATS, remainder=REMAINDERS, traffic=TRAFFIC)
        yield Grid("gains", beats=BEATS, traffic=TRAFFIC)
        yield Grid("tapes", goal=2, command=("matrix", "gain"), tape=TAPES, traffic=TRAFFIC)
        yield Grid("results", goal=5, result=RESULTS)
        yield Grid("shifts", goal=20, shift=SHIFTS)
        yield Grid("matrices a vector", goal=3, uses=USES, traffic=TRAFFIC)

    def write(self, product: Product):
        level, lanes = self.parent.level, self.cfg.lanes
        command = "gain" if product.kind == GAIN else "matrix"
        self.grid["tapes"].sample(command=command, tape=TAPES[product.head], traffic=level)
        beats = {1: "one", self.cfg.max_row_beats: "most"}.get(product.beats, "between")
        if product.kind == GAIN:
            self.grid["gains"].sample(beats=beats, traffic=level)
            return
        remainder = {0: "0", 1: "1", lanes - 1: "LANES-1"}.get(product.rows % lanes, "between")
        self.grid["matrices"].sample(kind=product.kind, beats=beats, remainder=remainder, traffic=level)
        edge = 1 << self.cfg.f_bits - 1
        for result in product.results:
            name = "clipped" if result in (-edge, edge - 1) else RESULTS[(result < 0) + 2 * (result > 0)]
            self.grid["results"].sample(result=name)
        for shift in product.shifts:
            self.grid["shifts"].sample(shift=str(shift) if shift in (0, MAX_SHIFT) else "between")
        if product.uses:
            self.grid["matrices a vector"].sample(uses=product.uses, traffic=level)


class MatvecEnv(BlockEnv):
    PREDICTOR, COVERAGE, QUIET, PULSES = MatvecPredictor, MatvecCoverage, 300, ("saturated",)

    def build_phase(self):
        super().build_phase()
        self.watch = TapeWatch.create("watch", self)

    def streams(self):
        return streams_of(ports(self.cdb_get("CFG")))
