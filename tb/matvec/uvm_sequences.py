"""Work for the matvec: matrices, activation vectors and gains as transactions, and the sequence that mixes them."""

from itertools import cycle, product

import numpy as np
from pyuvm import uvm_object

from llama2_myhdl.spec.formats import UNIT
from llama2_myhdl.spec.kinds import GAIN
from tb.matvec.uvm_env import BEATS, REMAINDERS, USES
from tb.uvm.block_test import BlockSequence
from tb.uvm.env import TRAFFIC


def signed(rng, bits, count):
    """Random signed numbers, uniform, as an array."""
    return np.array([rng.randrange(-(1 << bits - 1), 1 << bits - 1) for _ in range(count)])


def word_of(lanes, bits):
    """Lanes side by side, lane 0 low; bits: 8 or 16."""
    return int.from_bytes(np.asarray(lanes).astype(f"<i{bits // 8}").tobytes(), "little")


class Vector(uvm_object):
    """An activation vector of whole words."""

    def randomize(self, rng, cfg, words):
        self.cfg = cfg
        self.mantissa = self.mantissas(rng, words * cfg.lanes).reshape(words, cfg.lanes)
        self.factor, self.scale = self.scalar(rng)

    def mantissas(self, rng, count):
        return signed(rng, self.cfg.act_bits, count) * rng.choice((0, 1, 1, 1, 1, 1))

    def scalar(self, rng):
        """factor and scale"""
        return rng.choice((UNIT, rng.randrange(1, UNIT))), rng.randrange(-30, -10)

    def payloads(self):
        """Its words."""
        for number, lanes in enumerate(self.mantissa):
            yield dict(data=word_of(lanes, self.cfg.act_bits), last=int(number == len(self.mantissa) - 1))

    def scalars(self):
        yield dict(factor=self.factor, scale=self.scale)


class Matrix(uvm_object):
    """A matrix and its command."""

    def randomize(self, rng, cfg, kind, rows, beats):
        self.cfg, self.kind, self.rows, self.beats, self.release = cfg, kind, rows, beats, 0
        self.head = 0
        self.mantissa = self.mantissas(rng, rows * beats * cfg.lanes).reshape(rows, beats, cfg.lanes)
        self.exponent = [self.row_exponent(rng) for _ in range(rows)]

    def mantissas(self, rng, count):
        return signed(rng, self.cfg.weight_bits, count)

    def row_exponent(self, rng):
        return rng.choice((rng.randrange(-14, 8), rng.randrange(-14, 8), rng.randrange(-64, 64)))

    def command(self):
        return dict(kind=self.kind, rows=self.rows, beats=self.beats, release=self.release, head=self.head)

    def payloads(self):
        """Its tape beats."""
        lanes = self.cfg.lanes
        for row in range(self.rows):
            if row % lanes == 0:
                yield dict(data=word_of(self.exponent[row : row + lanes], self.cfg.exp_bits))
            for beat in self.mantissa[row]:
                yield dict(data=word_of(beat, self.cfg.weight_bits))


class Gains(uvm_object):
    """Norm gains: beats that pass unchanged."""

    def randomize(self, rng, cfg, beats):
        self.cfg, self.beats = cfg, [rng.getrandbits(cfg.beat_bits) for _ in range(beats)]
        self.head = 0

    def command(self):
        return dict(kind=GAIN, rows=0, beats=len(self.beats), release=0, head=self.head)

    def payloads(self):
        for beat in self.beats:
            yield dict(data=beat)


class MatvecWork(BlockSequence):
    """At each level of traffic every kind, row length and remainder of rows once, in random order, back to back.

    One, two and three matrices in turn meet a vector; gains come in between.
    """

    LEVELS = tuple(TRAFFIC)

    async def body(self):
        self.cfg, kinds = self.env.cdb_get("CFG"), self.env.cdb_get("KINDS")
        for level in self.LEVELS:
            self.env.traffic(level)
            matrices = [self.matrix(*shape) for shape in product(kinds, BEATS, REMAINDERS)]
            self.rng.shuffle(matrices)
            await self.run(matrices)

    async def run(self, matrices):
        """Vectors and gains for these matrices; everything sent, everything compared."""
        vectors, work = [], []
        for uses, beats in zip(cycle(USES), cycle(BEATS)):
            group, matrices = matrices[:uses], matrices[uses:]
            if not group:
                break
            longest = max(group, key=lambda matrix: matrix.beats)
            group.append(group.pop(group.index(longest)))  # the one that releases the vector reads all of it
            group[-1].release = 1
            vectors.append(self.vector(group[-1].beats))
            work += group
            work.insert(self.rng.randrange(len(work)), self.gains(beats))
        for kind in (Matrix, Gains):
            self.deal_heads([item for item in work if isinstance(item, kind)])
        gains = sum(len(item.beats) for item in work if isinstance(item, Gains))
        self.env.promise(m_row=sum(item.rows for item in work if isinstance(item, Matrix)), m_gain=gains)
        await self.env.feed(
            s_cmd=[[item.command()] for item in work],
            s_tape=[item.payloads() for item in work],
            s_act=[vector.payloads() for vector in vectors],
            s_scale=[vector.scalars() for vector in vectors],
        )
        await self.env.settled()

    def deal_heads(self, items):
        """Half of them come from the head's tape."""
        heads = [number % 2 for number in range(len(items))]
        self.rng.shuffle(heads)
        for item, head in zip(items, heads):
            item.head = head

    def length(self, beats):
        most = self.cfg.max_row_beats
        return {"one": 1, "between": self.rng.randrange(2, most), "most": most}[beats]

    def matrix(self, kind, beats, remainder):
        lanes, rng = self.cfg.lanes, self.rng
        rest = {"0": lanes, "1": 1, "between": rng.randrange(2, lanes - 1), "LANES-1": lanes - 1}[remainder]
        matrix = Matrix.create("matrix")
        matrix.randomize(rng, self.cfg, kind, rest + rng.choice((0, 0, lanes)), self.length(beats))
        return matrix

    def vector(self, words):
        vector = Vector.create("vector")
        vector.randomize(self.rng, self.cfg, words)
        return vector

    def gains(self, beats):
        gains = Gains.create("gains")
        gains.randomize(self.rng, self.cfg, self.length(beats))
        return gains
