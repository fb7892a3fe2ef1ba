"""The environment of every block that holds stream entries: what goes in comes out, and `s_ready` is up while there is
room for more."""

from collections.abc import Callable
from dataclasses import dataclass

from pyuvm import uvm_analysis_port, uvm_component

from llama2_myhdl.sim.clock import at_every_edge
from llama2_myhdl.sim.streams import reader
from tb.uvm.coverage import Coverage
from tb.uvm.env import TRAFFIC, BlockEnv, streams_of
from tb.uvm.grid import Grid
from tb.uvm.predictor import Predictor
from tb.uvm.scoreboard import Mismatch

SIZES = ("low", "high", "other")
HELD = ("empty", "between", "full")
MOVES = ("none", "in", "out", "both")
LENGTHS = ("1", "2", "more")  # in cycles or beats
PINS = ("s_valid", "s_ready", "m_valid", "m_ready")


@dataclass(frozen=True)
class Buffer:
    """A block with ports s and m. arguments: makes its ports and parameters; capacity: entries that it holds; through:
    an entry may pass within the cycle; follows: `s_ready` follows `m_ready` within the cycle."""

    block: object
    arguments: Callable[[], dict]
    capacity: int
    through: bool = False
    follows: bool = False

    def held(self, count: int) -> str:
        return HELD[0] if not count else HELD[2] if count >= self.capacity else HELD[1]

    def impossible(self, held: str, move: str) -> bool:
        if held == "between":
            return self.capacity == 1
        if held == "empty":
            return move == "out" or move == "both" and not self.through
        return move == "in" or move == "both" and not self.follows


class BufferPredictor(Predictor):
    """What goes in comes out."""

    def take(self, port, beat):
        self.predict("m", beat)
        self.transactions.write(("values", dict(data=beat["data"])))


class Occupancy(uvm_component):
    """Counts, in every cycle, the entries inside. `ready` is wrong in a cycle where it does not tell whether there is
    room; the first cycle behind a reset is left out. `seen`: publishes what there is to cover.

    ConfigDB: SCOPE, the instance; BUFFER.
    """

    def build_phase(self):
        self.scope, self.buffer = self.cdb_get("SCOPE"), self.cdb_get("BUFFER")
        self.seen = uvm_analysis_port("seen", self)
        self.cycles = self.wrong = 0
        self._running = False  # since the cycle before
        self._rst, self._pins = reader(self.scope.rst), [reader(getattr(self.scope, pin)) for pin in PINS]

    async def run_phase(self):
        at_every_edge(self.scope.clk, self._step)

    def _step(self):
        s_valid, *rest = [read() == "1" for read in self._pins]
        if self._rst() != "0":
            if self._running:
                self.seen.write(("resets", dict(held=self.buffer.held(self.held), offered=s_valid)))
            self.held = self.run = self.gap = 0
            self._running = False
            return
        self._cycle(self._running, s_valid, *rest)
        self._running = True

    def _cycle(self, running, s_valid, s_ready, m_valid, m_ready):
        enters, leaves = s_valid and s_ready, m_valid and m_ready
        self.cycles += running
        self.wrong += running and s_ready != self.room(m_ready)
        self.seen.write(("moves", dict(held=self.buffer.held(self.held), move=MOVES[enters + 2 * leaves])))
        self.held += enters - leaves
        if not s_valid:
            self.gap += 1
            return
        if self.gap and self.run:
            bins = dict(run=LENGTHS[min(self.run, 3) - 1], gap=LENGTHS[min(self.gap, 3) - 1])
            self.seen.write(("bubbles", bins))
        self.run = enters + (0 if self.gap else self.run)
        self.gap = 0

    def room(self, m_ready: bool) -> bool:
        """Whether the block takes an entry."""
        return self.held < self.buffer.capacity or self.buffer.follows and m_ready

    def check_phase(self):
        if self.wrong or not self.cycles:
            raise Mismatch(f"{self.get_full_name()}: s_ready is wrong in {self.wrong} of {self.cycles} cycles")

    def report_phase(self):
        self.logger.info(f"{self.cycles} cycles, s_ready up exactly while there is room")


class BufferCoverage(Coverage):
    """ConfigDB: BUFFER."""

    def grids(self):
        buffer = self.cdb_get("BUFFER")
        self.data = streams_of(buffer.arguments())["s"].data
        yield Grid("values", size=SIZES, traffic=TRAFFIC)
        yield Grid("moves", ignore=lambda held, move, traffic: buffer.impossible(held, move), held=HELD, move=MOVES,
                   traffic=TRAFFIC)
        yield Grid("bubbles", run=LENGTHS, gap=LENGTHS)
        held = [held for held in HELD if not buffer.impossible(held, "none")]
        yield Grid("resets", held=held, offered=(False, True))

    def write(self, seen):
        name, bins = seen
        grid = self.grid[name]
        if name == "values":
            ends = {self.data.min: "low", self.data.max - 1: "high"}
            bins = dict(size=ends.get(bins["data"], "other"))
        grid.sample(**bins, **(dict(traffic=self.parent.level) if "traffic" in grid.axes else {}))


class BufferEnv(BlockEnv):
    """ConfigDB: BUFFER."""

    PREDICTOR, COVERAGE, QUIET = BufferPredictor, BufferCoverage, 50

    def build_phase(self):
        super().build_phase()
        self.capacity = self.cdb_get("BUFFER").capacity
        self.occupancy = Occupancy.create("occupancy", self)

    def connect_phase(self):
        super().connect_phase()
        self.occupancy.seen.connect(self.coverage.analysis_export)

    def streams(self):
        return streams_of(self.cdb_get("BUFFER").arguments())
