"""A token in one station, command by command as `rtl/layer/schedule.py` gives them: when each row leaves the matvec.

Cycles are those in which something passes. What holds a matrix up is its vector, which is on its way from the matrix
before (`ways.py`), its gains, which wait until the norm has used those before, or its tape (`supply.py`).
"""

from collections import deque
from dataclasses import dataclass
from math import ceil

from llama2_myhdl.host.performance.heads import TokenRows, attended, reads_of_row
from llama2_myhdl.host.performance.rows import Cache, readers_of
from llama2_myhdl.host.performance.supply import Chip, Queues
from llama2_myhdl.host.performance.ways import GAINS_SETTLE, START, Ways, ways
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.kinds import DOWN, GAIN, GATE_UP, KEY, LOGITS, OUT, PARTIAL, QUERY, VALUE
from llama2_myhdl.spec.program import Command, engine_program, layer_beats

# layers that may differ from those behind them; whose mean is taken for others; how many others make it worth while
FIRST_LAYERS, ALIKE, MANY = 2, 2, 5


@dataclass(frozen=True)
class Rows:
    """Last beats of a matrix' rows: of its first row, of its last, and how they lie between."""

    first: int
    last: int
    rows: int
    beats: int
    lanes: int

    def at(self, row: int) -> int:
        """Cycle of a row's last beat: beats and, every `lanes` rows, one of exponents."""
        done = row * self.beats + row // self.lanes
        everything = (self.rows - 1) * self.beats + (self.rows - 1) // self.lanes
        return self.first + ceil(done * (self.last - self.first) / everything) if everything else self.first


@dataclass(frozen=True)
class Packet:
    """Elements of x at a station's entrance: cycles in which the first and the last one are offered."""

    first: int
    last: int


@dataclass
class Station:
    """first, layers, head: as of `spec.program.engine_program`; tape: its beats; cache: in memory, else on the chip."""

    shape: ModelShape
    build: BuildConfig
    first: int
    layers: int
    head: bool
    tape: Chip | Queues
    cache: Cache | None = None

    def __post_init__(self):
        self.ways: Ways = ways(self.build)
        self.readers = readers_of(self.cache, self.build.attention_units) if self.cache else None

    def token(self, pos: int, x: Packet, scored: bool = True) -> Packet | int:
        """The packet at the exit, or with the head the cycle of the prediction."""
        way, shape = self.ways, self.shape
        program = deque(engine_program(shape, self.build, self.first, self.layers, self.head and scored))
        now = x.first + START  # the tape's next slot
        used = None  # the norm has used its gains, and the last element of its vector is there, in this cycle
        words = 0  # the first word of the vector that comes next may meet a beat
        rows, begins = {}, []  # rows of each kind, of the latest layer; where layers begin
        while program:
            command = program.popleft()
            kind = command.kind
            if kind == GAIN:
                begin = now if used is None else max(now, used + 1)
                end = self.tape.take(command.beats, begin, command.head)
                now = end + 1
                if used is None:
                    arrived = max(x.last, x.first + shape.dim)  # at the station's intake, a cycle behind the packet
                    stored = way.summed if self.layers else 0  # a head alone has no residual
                    used = max(arrived + stored, end + GAINS_SETTLE + shape.dim - 1)
                    words = used + way.normed + way.word
                continue
            if kind == KEY:
                begins.append(now)
                later = self._pass_over(program, begins)
                now, words = now + later, words + later
            if kind == OUT:
                words = self._attention(pos, rows) + way.word
            elif kind in (PARTIAL, DOWN):
                last = min(command.block + self.build.hidden_block, shape.hidden_dim)
                gated = rows[GATE_UP].at(2 * last - 1) + way.row + way.gated
                words = gated + way.word
            rows[kind] = found = self._matrix(command, now, words)
            now = found.last + 1
            if kind in (OUT, DOWN):
                used = found.last + way.row + way.summed
                words = used + way.normed + way.word
        if self.head and scored:
            return rows[LOGITS].last + way.row + way.predicted
        leaving = way.row + way.summed + way.passed_on
        return Packet(rows[DOWN].at(0) + leaving, rows[DOWN].last + leaving)

    def _pass_over(self, program: deque[Command], begins: list[int]) -> int:
        """Where many layers are still to come, all but the last go by at once, as long as those before: the cycles."""
        more = self.layers - len(begins)
        if len(begins) != FIRST_LAYERS + ALIKE or more < MANY:
            return 0
        a_layer = 0  # commands of one
        while program[a_layer].kind != KEY:
            a_layer += 1
        for _ in range(more * (a_layer + 1)):
            program.popleft()
        cycles = round((begins[-1] - begins[-1 - ALIKE]) / ALIKE * more)
        self.tape.pass_over(more * layer_beats(self.shape, self.build), cycles)
        return cycles

    def _matrix(self, command: Command, now: int, words: int) -> Rows:
        """Beat by beat; words: when the vector's first word may meet a beat, the others `pace` cycles apart."""
        build, beats = self.build, command.beats
        begin = max(self.tape.take(1, now, command.head) + 1, words)
        first = max(self.tape.take(beats, begin, command.head), words + (beats - 1) * self.ways.pace)
        rest = (command.rows - 1) * beats + ceil(command.rows / build.lanes) - 1
        last = self.tape.take(rest, first + 1, command.head) if rest else first
        return Rows(first, last, command.rows, beats, build.lanes)

    def _attention(self, pos: int, rows: dict[int, Rows]) -> int:
        """The cycle of the last pair at the block quantiser."""
        shape, way = self.shape, self.ways
        near = 2 if self.layers == 1 and pos else 1  # rows that are still in the window (rtl/cache/recent.py)
        token = TokenRows(
            steps=pos + 1,
            pushed=lambda head: rows[QUERY].at((head + 1) * shape.head_dim - 1) + way.row + way.query,
            value=lambda head: rows[VALUE].at((head + 1) * shape.head_dim - 1) + way.row + way.value,
            far=pos + 1 - near if self.cache else 0,
        )
        end = attended(shape, self.build, way, token, self.readers)
        if self.cache and not self.cache.own:
            passing = shape.n_kv_heads * (self.cache.words(pos) * reads_of_row(shape, self.build) + self.cache.words(1))
            self.tape.claim(passing, rows[VALUE].last)  # the token's own is written
        return end
