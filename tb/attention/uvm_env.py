"""The attention's environment: predicted by golden.fixed.attention over a cache kept from the rows that passed."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.golden.fixed.attention import attend, scores
from llama2_myhdl.rtl.attention.attention import ports
from llama2_myhdl.spec.kinds import KEY, QUERY, VALUE
from tb.lanes import unpacked
from tb.uvm.coverage import Coverage
from tb.uvm.env import TRAFFIC, BlockEnv, streams_of
from tb.uvm.grid import Grid
from tb.uvm.predictor import Predictor

SHAPE_PINS = ("head_dim", "kv_mul", "n_kv_heads")
PINS = ("layer", "seq", "pos", *SHAPE_PINS)
POSITIONS = ("first", "second", "later")
CONTENTS = ("mixed", "edge", "zero")
PLACES = ("first", "between", "last")  # of the largest score


@dataclass(frozen=True)
class Seen:
    """One token: where it was, what its key rows held, and the place of the largest score of each head."""

    pos: int
    kv_mul: int
    content: str
    places: tuple


def content_of(rows, bits):
    """`edge`: every lane of every row at one of the ends of the range."""
    edges = (-(1 << bits - 1), (1 << bits - 1) - 1)
    if not np.any(rows):
        return "zero"
    return "edge" if np.isin(rows, edges).all() else "mixed"


class AttentionPredictor(Predictor):
    """Reads layer, position and shape off the pins with a token's first row, as the block may."""

    def build_phase(self):
        super().build_phase()
        self.cfg, self.scope = self.cdb_get("CFG"), self.cdb_get("SCOPE")
        self.cache = {role: defaultdict(dict) for role in (KEY, VALUE)}  # [seq, layer, head][t]: (lanes, exponent)
        self.seen = {KEY: [], VALUE: [], QUERY: []}  # rows of the token

    def take(self, port, beat):
        if not any(map(len, self.seen.values())):
            self.at = {name: int(getattr(self.scope, name).value) for name in PINS}
        role, bits = beat["tag"], self.cfg.value_bits if port == "s_value" else self.cfg.act_bits
        self.seen[role].append((np.array(unpacked(beat["data"], bits, self.at["head_dim"])), beat["exponent"]))
        heads, kv_mul = self.at["n_kv_heads"], self.at["kv_mul"]
        if [len(self.seen[kind]) for kind in (KEY, VALUE, QUERY)] == [heads, heads, heads * kv_mul]:
            self._finish()

    def _rows(self, role, head):
        """Mantissas and exponents of positions 0 to now."""
        rows = self.cache[role][self.at["seq"], self.at["layer"], head]
        mantissas, exponents = zip(*(rows[t] for t in range(self.at["pos"] + 1)))
        return np.array(mantissas), np.array(exponents)

    def _attend(self, number, query, exponent):
        heads, stats = self.at["kv_mul"] * self.at["n_kv_heads"], Tally()
        k, ke = self._rows(KEY, number // self.at["kv_mul"])
        v, ve = self._rows(VALUE, number // self.at["kv_mul"])
        out = attend(query, exponent, k, ke, v, ve, self.cfg.p_frac, stats).tolist()
        self.pulses["saturated"] += stats.count
        for i in range(0, len(out), 2):
            last = int(number == heads - 1 and i == len(out) - 2)
            self.predict("m", dict(data=out[i], second=out[i + 1], last=last))
        return int(np.argmax(scores(query, exponent, k, ke)))

    def _finish(self):
        """All rows of the token are there."""
        pos = self.at["pos"]
        for role in (KEY, VALUE):
            for head, row in enumerate(self.seen[role]):
                self.cache[role][self.at["seq"], self.at["layer"], head][pos] = row
        places = tuple(self._attend(number, *row) for number, row in enumerate(self.seen[QUERY]))
        content = content_of(np.array([lanes for lanes, _ in self.seen[KEY]]), self.cfg.key_bits)
        self.transactions.write(Seen(pos, self.at["kv_mul"], content, places))
        self.seen = {KEY: [], VALUE: [], QUERY: []}


class AttentionCoverage(Coverage):
    """ConfigDB: CFG; SHAPES, the shapes that the test promises."""

    def grids(self):
        self.top = self.cdb_get("CFG").max_seq - 1
        ratios = tuple(kv_mul for _, kv_mul, _ in self.cdb_get("SHAPES"))
        yield Grid("tokens", ratio=ratios, position=POSITIONS, content=CONTENTS)
        yield Grid("traffic", content=CONTENTS, traffic=TRAFFIC)
        yield Grid("largest score", goal=5, place=PLACES)
        yield Grid("cache", filled=("to the last position", "less"))

    def write(self, token: Seen):
        position = POSITIONS[min(token.pos, 2)]
        self.grid["tokens"].sample(ratio=token.kv_mul, position=position, content=token.content)
        self.grid["traffic"].sample(content=token.content, traffic=self.parent.level)
        self.grid["cache"].sample(filled="to the last position" if token.pos == self.top else "less")
        for place in token.places if token.pos else ():
            name = {0: "first", token.pos: "last"}.get(place, "between")
            self.grid["largest score"].sample(place=name)


class AttentionEnv(BlockEnv):
    PREDICTOR, COVERAGE, QUIET, PULSES = AttentionPredictor, AttentionCoverage, 2000, ("saturated",)

    def streams(self):
        return streams_of(ports(self.cdb_get("CFG")))
