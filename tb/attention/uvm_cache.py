"""The environment of the key/value cache: predicted by a table of the rows that passed, by role and place."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from cocotb.utils import get_sim_time

from llama2_myhdl.sim.clock import PERIOD_NS
from llama2_myhdl.spec.kinds import KEY, QUERY, VALUE
from tb.attention.kv_cache import PINS, place_of, ports
from tb.attention.uvm_env import CONTENTS, content_of
from tb.lanes import unpacked
from tb.uvm.coverage import Coverage
from tb.uvm.env import TRAFFIC, BlockEnv, streams_of
from tb.uvm.grid import Grid
from tb.uvm.predictor import Predictor

ROLES = {KEY: "key", VALUE: "value"}
ASKED, ANSWERED = {"s_ask": KEY, "s_ask_value": VALUE}, {KEY: "m", VALUE: "m_value"}
POSITIONS = ("first", "between", "last")
BEHIND = ("1", "2", "more")  # cycles from the row to the question
AHEAD = "ahead"  # by one cycle: of the row that takes its place
HEADS = (1, 2, 3, 4)  # of a token


@dataclass(frozen=True)
class Row:
    """A row as it came, and in which cycle."""

    data: int
    exponent: int
    cycle: int


class CachePredictor(Predictor):
    """Reads sequence, layer, position and shape off the pins with a token's first row, as the block may."""

    def build_phase(self):
        super().build_phase()
        self.cfg, self.scope = self.cdb_get("CFG"), self.cdb_get("SCOPE")
        self.rows = {role: {} for role in ROLES}  # by [seq, layer, head, pos]
        self.asked = {role: {} for role in ROLES}  # in which cycle, likewise
        self.came = Counter()  # rows of the token by role

    def take(self, port, beat):
        cycle = int(get_sim_time("ns")) // PERIOD_NS
        if port in ASKED:
            self._answer(ASKED[port], place_of(self.cfg, **beat), cycle)
        else:
            self._row(VALUE if port == "s_value" else beat["tag"], beat, cycle)

    def _row(self, role, beat, cycle):
        if not self.came:
            self.at = {name: int(getattr(self.scope, name).value) for name in PINS}
        at, head = self.at, self.came[role]
        if role != QUERY:
            place = at["seq"], at["layer"], head, at["pos"]
            self.rows[role][place] = Row(beat["data"], beat["exponent"], cycle)
            if self.asked[role].get(place) == cycle - 1:
                self.transactions.write(("distances", dict(role=ROLES[role], distance=AHEAD)))
        self.came[role] += 1
        heads = at["n_kv_heads"]
        if self.came == Counter({KEY: heads, VALUE: heads, QUERY: heads * at["kv_mul"]}):
            self.came.clear()
            self.transactions.write(("tokens", dict(heads=heads)))

    def _answer(self, role, place, cycle):
        row, name = self.rows[role][place], ROLES[role]
        self.asked[role][place] = cycle
        self.predict(ANSWERED[role], dict(data=row.data, exponent=row.exponent))
        seq, layer, head, pos = place
        position = {0: "first", self.cfg.max_seq - 1: "last"}.get(pos, "between")
        bits = self.cfg.key_bits if role == KEY else self.cfg.value_bits
        content = content_of(np.array(unpacked(row.data, bits, self.cfg.max_head_dim)), bits)
        distance = BEHIND[min(cycle - row.cycle, len(BEHIND)) - 1] if cycle > row.cycle else "none"
        for grid, bins in (
            ("rows", dict(sequence=seq, layer=layer, head=head, position=position)),
            ("distances", dict(distance=distance)),
            ("contents", dict(content=content)),
        ):
            self.transactions.write((grid, dict(role=name, **bins)))


class CacheCoverage(Coverage):
    """ConfigDB: CFG."""

    def grids(self):
        cfg, roles = self.cdb_get("CFG"), tuple(ROLES.values())
        yield Grid("tokens", heads=HEADS, traffic=TRAFFIC)
        yield Grid("rows", role=roles, sequence=range(cfg.sequences), layer=range(cfg.max_layers),
                   head=range(max(HEADS)), position=POSITIONS)
        yield Grid("distances", goal=3, role=roles, distance=(*BEHIND, AHEAD))
        yield Grid("contents", role=roles, content=CONTENTS, traffic=TRAFFIC)

    def write(self, seen):
        name, bins = seen
        grid = self.grid[name]
        grid.sample(**bins, **(dict(traffic=self.parent.level) if "traffic" in grid.axes else {}))


class CacheEnv(BlockEnv):
    PREDICTOR, COVERAGE, QUIET = CachePredictor, CacheCoverage, 100

    def streams(self):
        return streams_of(ports(self.cdb_get("CFG")))
