"""Random work for the matvec, and what the golden model makes of it."""

from dataclasses import dataclass, field

import numpy as np

from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.golden.fixed.matvec import Activation, matvec
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.formats import UNIT
from llama2_myhdl.spec.kinds import GAIN, ROW_KINDS
from tb.lanes import packed


def extremes(rng, bits, count):
    """`count` lists' worth of one choice: all low, all high, or random signed numbers."""
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    kind = rng.randrange(4)
    if kind == 0:
        return [low] * count
    if kind == 1:
        return [rng.choice((low, high)) for _ in range(count)]
    return [rng.randint(low, high) for _ in range(count)]


@dataclass(frozen=True)
class Matrix:
    """int8 rows [rows, cols] and their exponents."""

    mantissa: np.ndarray
    exponent: np.ndarray


@dataclass
class Work:
    """Everything that goes in and must come out, in order; `saturations` counts clipped rows."""

    cfg: BuildConfig
    commands: list[dict] = field(default_factory=list)
    tape: list[dict] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)  # of each beat of the tape: whether it is the head's
    words: list[dict] = field(default_factory=list)
    scales: list[dict] = field(default_factory=list)
    rows: list[dict] = field(default_factory=list)
    gains: list[dict] = field(default_factory=list)
    weight_beats: int = 0
    stats: Tally = field(default_factory=Tally)

    def vector(self, rng, beats: int) -> Activation:
        """Send one activation vector of `beats` words, and its scalar; factor 1.0 now and then."""
        lanes, bits = self.cfg.lanes, self.cfg.act_bits
        mantissa = extremes(rng, bits, beats * lanes)
        act = Activation(np.array(mantissa), rng.choice((UNIT, rng.randrange(1, UNIT))), rng.randrange(-25, -5))
        self.scales.append(dict(factor=act.factor, scale=act.scale))
        for w in range(beats):
            data = packed(mantissa[w * lanes : (w + 1) * lanes], bits)
            self.words.append(dict(data=data, last=int(w == beats - 1)))
        return act

    def matrix(self, rng, act: Activation, rows: int, kind: int, release: bool):
        """Command, tape beats and expected results of a random matrix."""
        lanes, bits = self.cfg.lanes, self.cfg.weight_bits
        cols = len(act.mantissa)
        mantissa = np.array([extremes(rng, bits, cols) for _ in range(rows)])
        exponent = np.array([rng.randrange(-12, 3) for _ in range(rows)])
        before, head = len(self.tape), rng.randrange(2)
        self.commands.append(dict(kind=kind, rows=rows, beats=cols // lanes, release=int(release), head=head))
        for row in range(rows):
            if row % lanes == 0:
                self.tape.append(dict(data=packed(exponent[row : row + lanes].tolist(), self.cfg.exp_bits)))
            for beat in mantissa[row].reshape(-1, lanes).tolist():
                self.tape.append(dict(data=packed(beat, bits)))
        self.heads += [head] * (len(self.tape) - before)
        self.weight_beats += rows * cols // lanes
        results = matvec(Matrix(mantissa, exponent), act, self.stats).tolist()
        self.rows += [dict(data=y, kind=kind, last=int(r == rows - 1)) for r, y in enumerate(results)]

    def gain(self, rng, beats: int):
        """A GAIN command and its beats."""
        head = rng.randrange(2)
        self.commands.append(dict(kind=GAIN, rows=0, beats=beats, release=0, head=head))
        self.heads += [head] * beats
        beats = [dict(data=rng.getrandbits(self.cfg.beat_bits)) for _ in range(beats)]
        self.tape += beats
        self.gains += beats


def random_work(cfg: BuildConfig, rng, vectors: int) -> Work:
    """`vectors` activation vectors of 1 beat or more, each with one to three matrices and gains between them."""
    work = Work(cfg)
    for _ in range(vectors):
        act = work.vector(rng, rng.randint(1, cfg.max_row_beats))
        matrices = rng.randint(1, 3)
        for number in range(matrices):
            if rng.random() < 0.4:
                work.gain(rng, rng.randint(1, 2 * cfg.dim_beats + 1))
            rows = rng.choice((1, 2, rng.randint(1, 2 * min(cfg.lanes, 16)), cfg.lanes, cfg.lanes + 1))
            work.matrix(rng, act, min(rows, cfg.max_rows), rng.choice(ROW_KINDS), number == matrices - 1)
    return work
