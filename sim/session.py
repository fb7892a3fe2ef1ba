"""A running decoder to talk to: boot it, hand over prompts, read tokens; several sequences side by side.

    with Session(build) as session:
        session.boot(tape)
        for beat in session.generate([1, 300], steps=20):
            print(beat["token"])
"""

from collections import deque
from collections.abc import Iterator

import numpy as np

from llama2_myhdl.hdl.progress import Progress, silent
from llama2_myhdl.rtl.decode.decode_loop import prompt_stream
from llama2_myhdl.rtl.decoder import decoder, ports, stations
from llama2_myhdl.rtl.layer.probes import shown
from llama2_myhdl.sim import memories
from llama2_myhdl.sim.build import Shown
from llama2_myhdl.sim.build import build as build_block
from llama2_myhdl.sim.dram import Dram
from llama2_myhdl.sim.native import NativeSimulator
from llama2_myhdl.sim.simulator import Memory, SimulationError, Simulator
from llama2_myhdl.sim.taps import Record, StationTaps
from llama2_myhdl.sim.through import Through
from llama2_myhdl.sim.trace import Station
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.counters import COUNTERS
from llama2_myhdl.spec.errors import BUS_ERRORS, MEANING
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.program import layer_split
from llama2_myhdl.spec.sequence import Request, prompt_beats
from llama2_myhdl.weights.memory import parts_in_memory
from llama2_myhdl.weights.tape import Tape

SIMULATORS = ("verilator", "icarus", "verilator-cocotb")  # the first one compiled into this process
RESET_CYCLES = 4
BOOT_SETTLE_CYCLES = 20  # from the last boot beat to `loaded` or `error`
COUNTER_CYCLES = 2  # from counter_select to counter_value
LEAST_PATIENCE, PATIENCE = 1_000_000, 20  # cycles; times the cycle floor of a token: then the hardware is stuck
DRAWN = "logprob"  # F; 0 in builds without a sampler
TOKEN_FIELDS = ("token", "seq", "pos", "scored", "sampled", "stop", "last", DRAWN)
STATUS_FIELDS = ("cycles", "error")  # as they stand when a beat passes


def open_decoder(
    build: BuildConfig,
    sim: str = SIMULATORS[0],
    say: Progress = silent,
    visible: Shown | None = None,
    through: Through | None = None,
) -> Simulator:
    """The decoder of a build in a simulator, converted and compiled when it is not yet; the others as for `Session`."""
    if sim not in SIMULATORS:
        raise SimulationError(f"simulator: must be one of {', '.join(SIMULATORS)}, is {sim!r}")
    library = sim == SIMULATORS[0]
    built = build_block(
        decoder,
        ports(build),
        sim.removesuffix("-cocotb"),
        shown=visible or shown(),
        library=library,
        say=say,
        through=through,
    )
    if library:
        return NativeSimulator(built.file, built.top)
    from llama2_myhdl.sim.remote import RemoteSimulator  # with cocotb and pytest, which take as long as all the others

    return RemoteSimulator(built)


class Sequence:
    """The token beats of a sequence, in order: dicts of TOKEN_FIELDS and STATUS_FIELDS. Iterating runs the decoder."""

    def __init__(self, session: "Session", request: Request, seq: int, gap: int, due: int):
        self.request, self.seq = request, seq
        self._prompt = deque(prompt_beats(request, seq, session.draws))
        self.ended = False  # its last beat has come
        self._session, self._gap = session, gap
        self._due = due  # the cycle in which the next prompt token may pass
        self._beats = deque()

    @property
    def waits(self) -> bool:
        """There are prompt tokens left to send."""
        return bool(self._prompt)

    def __iter__(self) -> Iterator[dict]:
        return self

    def __next__(self) -> dict:
        while not self._beats:
            if self.ended:
                raise StopIteration
            self._session.advance()
        return self._beats.popleft()


class Session:
    """build: the hardware; sim: one of SIMULATORS; say: told how conversion and compilation get on; visible: signals
    that the build shows, else those of `rtl/layer/probes.py`; through: a step that the Verilog passes before, see
    `sim.build`: of a netlist there are neither taps nor the cycle table; dram: the memories of a build that has some,
    else those of `Dram()`."""

    def __init__(
        self,
        build: BuildConfig,
        sim: str = SIMULATORS[0],
        say: Progress = silent,
        visible: Shown | None = None,
        through: Through | None = None,
        dram: Dram | None = None,
    ):
        self.build, self.sim = build, open_decoder(build, sim, say, visible, through)
        count = stations(build)
        engines = [f"u_engine_{k}" for k in range(build.engines)]
        self.stations = engines if count == build.engines else [*engines, "u_head"]
        self._boot = self.sim.source("s_boot", ("data", "last"))
        self.draws = build.list_entries > 0  # there is a sampler
        self._prompt = self.sim.source("s_prompt", prompt_stream(build).payload)
        self._fields = [name for name in TOKEN_FIELDS if self.draws or name != DRAWN]
        tokens = [f"m_token_{name}" for name in self._fields]
        self._tokens = self.sim.recorder([*tokens, *STATUS_FIELDS], "m_token", wakes=True)
        self._running: dict[int, Sequence] = {}  # by slot
        self._feeding: list[Sequence] = []  # with prompt tokens left, in the order in which they asked for the port
        self._offered: Sequence | None = None
        self._free = 0  # cycle from which the prompt port may be used
        self._patience = LEAST_PATIENCE
        self._shape = None  # of the model that is loaded
        self._tracers: list[Station] | None = None
        self._taps: list[StationTaps] | None = None
        self.sim.set(rst=1, clear=0, counter_station=0, counter_select=0, m_token_ready=1)
        self.memories: list[Memory] = []  # of a build with `buses`, as `sim.memories.at_ports` has them
        self.caches: list[Memory] = []  # of a build with `cache` one an engine
        self._at_bus(dram or Dram())

    def _at_bus(self, dram: Dram) -> None:
        """The memories of a build that has some; a fault of theirs wakes `advance`."""
        if self.build.buses:
            self.memories = memories.at_ports(self.sim, self.build, len(self.stations), dram)
        if self.build.cache:
            self.caches = memories.cached(self.sim, self.build, dram)
        self._bus = bool(self.memories or self.caches)
        if self._bus:
            self._faults = self.sim.recorder(["error"], wakes=True)
            self._faults.arm(False)


    def boot(self, tape: Tape, parts: list[bytes] | tuple[()] = ()) -> int:
        """Reset, then send a boot image; the error code, 0 when the model is loaded.

        parts: what `weights.memory.memory_image` makes for a build that reads from memory, for no other.
        """
        if len(parts) != (wanted := parts_in_memory(self.build)):
            raise SimulationError(f"memory: this build reads {wanted} parts of a model there, not {len(parts)}")
        beats, self._shape = tape.beats, tape.shape
        self._patience = max(LEAST_PATIENCE, PATIENCE * tape.shape.beats(tape.lanes))
        self.sim.set(rst=1)
        self._pass(RESET_CYCLES)
        if self._bus:
            self._faults.arm(False)  # it would wake what waits for the image
        if self.memories:
            memories.place(self.sim, self.memories, parts, self.build)
        self._running.clear(), self._feeding.clear()  # sequences that were left before their end
        self._offered, self._free = None, 0
        self._boot.drop(), self._prompt.drop(), self._tokens.take()
        self.sim.set(rst=0)
        count = len(beats)
        last = np.zeros((count, 1), np.uint8)
        last[-1] = 1
        self._boot.send(count, data=beats, last=last)
        self.sim.run(count + LEAST_PATIENCE, self._boot)  # no token comes in between
        if not self._boot.idle:
            raise SimulationError(f"the decoder does not take the {count} beats of its boot image: it is stuck")
        self._pass(BOOT_SETTLE_CYCLES)
        if self._bus:
            self._faults.arm(True)
        return self.sim.get("error")

    def clear(self) -> None:
        """Clear the sticky error code of a bad prompt."""
        self.sim.set(clear=1)
        self._pass(2)
        self.sim.set(clear=0)

    def _pass(self, cycles: int) -> None:
        """So many cycles, whatever tokens come: they are kept for `advance`."""
        end = self.sim.cycle + cycles
        while self.sim.cycle < end:
            self.sim.run(end - self.sim.cycle)

    def generate(
        self,
        prompt: list[int],
        steps: int = 0,
        seq: int = 0,
        score: bool = False,
        delay: int = 0,
        gap: int = 0,
        **wishes,
    ) -> Sequence:
        """Start a sequence: its prompt, then what the model says, until something ends it.

        steps: positions at most, 0 for the whole context; seq: its slot; score: predictions of the prompt's positions
        are wanted too; delay: cycles before its first prompt token; gap: cycles between two. wishes: the fields of
        `Request` that say how tokens are chosen, for builds with a sampler.
        """
        request = Request(tuple(prompt), steps, score, **wishes)
        if not self.draws and request != Request(tuple(prompt), steps, score):
            raise SimulationError(f"{', '.join(wishes)}: this build has no sampler (list_entries = 0), greedy only")
        if seq in self._running:
            raise SimulationError(f"slot {seq}: a sequence is running in it")
        if not 0 <= seq < self.build.sequences:
            raise SimulationError(f"slot: must be 0 to {self.build.sequences - 1}, is {seq}")
        sequence = Sequence(self, request, seq, gap, self.sim.cycle + max(delay, 1))
        self._running[seq] = sequence
        if sequence.waits:
            self._feeding.append(sequence)
        return sequence

    def counters(self) -> dict:
        """cycles: since the model was loaded; counters: {name: count} of every station; error: the sticky code."""
        cycles, found = self.sim.get("cycles"), []
        for station in range(len(self.stations)):
            counts = {}
            for select, name in enumerate(COUNTERS):
                self.sim.set(counter_station=station, counter_select=select)
                self._pass(COUNTER_CYCLES)
                counts[name] = self.sim.get("counter_value")
            found.append(counts)
        return dict(cycles=cycles, counters=found, error=self.sim.get("error"))

    def advance(self) -> list[dict]:
        """Run until token beats come, and hand them to their sequences; SimulationError when none comes."""
        begin = self.sim.cycle
        while not (rows := self._tokens.take().tolist()):
            left = self._patience - (self.sim.cycle - begin)
            if self._bus and (error := self.sim.get("error")) in BUS_ERRORS:
                raise SimulationError(f"the decoder has stopped: {MEANING[error]}")
            if left <= 0:
                raise SimulationError(f"no token for {self._patience} cycles: the decoder is stuck")
            self._step(left)
        return [self._deliver(dict(zip((*self._fields, *STATUS_FIELDS), row[1:]))) for row in rows]

    def _step(self, cycles: int) -> None:
        """At most so many cycles: to the next token beat, or to where the prompt port wants something."""
        self.sim.run(min(cycles, self._feed()), self._prompt if self._offered else None)
        if self._offered and self._prompt.idle:
            self._taken(self.sim.cycle - 1)

    def _feed(self) -> int:
        """Offer the prompt token whose turn it is; for how many cycles at most nothing else can be done."""
        if self._offered or not self._feeding:
            return self._patience
        sequence = min(self._feeding, key=lambda s: s._due)  # the first of equals
        due, now = max(sequence._due, self._free), self.sim.cycle
        if due > now + 1:
            return due - now - 1
        self._prompt.send(due=due, **sequence._prompt[0])
        self._offered = sequence
        return self._patience

    def _taken(self, cycle: int) -> None:
        """The prompt token that was offered has passed: the port rests for a cycle, and others come first."""
        sequence, self._offered = self._offered, None
        sequence._prompt.popleft()
        sequence._due, self._free = cycle + max(sequence._gap, 1) + 1, cycle + 2
        self._feeding.remove(sequence)
        if sequence.waits:
            self._feeding.append(sequence)

    def _deliver(self, beat: dict) -> dict:
        logprob = beat.get(DRAWN, 0)
        beat[DRAWN] = logprob - (logprob >> F_BITS - 1 << F_BITS)
        sequence = self._running[beat["seq"]]
        sequence._beats.append(beat)
        if beat["last"]:
            sequence.ended = True
            del self._running[beat["seq"]]
        return beat

    def drain(self) -> None:
        """Send what is left of prompts whose sequences have ended; the decoder swallows it."""
        while self._feeding:
            self._step(self._patience)

    def trace(self, on: bool) -> None:
        """Rows of the cycle table from now on, or no more of them."""
        if self._tracers is None and on:
            self._tracers = [Station(self.sim, path, number) for number, path in enumerate(self.stations)]
        first = 0
        for number, tracer in enumerate(self._tracers or ()):
            if on:
                tracer.start(first)
            else:
                tracer.stop()
            first += self._layers(number)
        self._offset = self.sim.get("cycles") - self.sim.cycle if on else 0

    def _layers(self, station: int) -> int:
        """Layers of a station, of the model that is loaded."""
        low, extra = layer_split(self._shape.n_layers, self.build.engines)
        return low + (station < extra) if station < self.build.engines else 0

    def rows(self, end: bool = False) -> list[dict]:
        """The rows of all stations that are whole since the last call; end: those under way too, as the last ones."""
        until = self.sim.cycle if end else None
        return [row for tracer in self._tracers for row in tracer.rows(self._offset, until)]

    def tap(self, on: bool) -> None:
        """Record the tensors of every stage from now on, or no more."""
        if self._taps is None and on:
            self._taps = [StationTaps(self.sim, path, self.build.f_bits) for path in self.stations]
        for taps in self._taps or ():
            taps.arm(on)

    def tapped(self) -> dict[tuple[int, int], list[Record]]:
        """What every station has recorded, by sequence and position, since `tap`; for `sim.taps.split`."""
        found = [taps.take() for taps in self._taps]
        return {token: [station[token] for station in found] for token in found[-1]}

    def close(self) -> None:
        """End the simulation."""
        self.sim.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self.close()
