"""The cycle table: what a station works on, cycle by cycle, and which units are busy.

A row begins whenever a station's layer, stage, sequence or position changes. The stage is the matrix that the matvec
takes beats of, `wait` while it takes none, `idle` while the station has no packet. The layer is that matrix's; for the
classifier it is the last one, or in a station of its own the number of layers. A unit is busy in a cycle in which it
takes or gives an element; what is only on its way inside a pipeline is not counted. Matvec and attention have a busy
signal of their own. Every cycle of a row has one of the causes that the hardware counts (`spec/causes.py`).
"""

from collections.abc import Iterator

from llama2_myhdl.rtl.layer.probes import KIND, PACKET, PROBES, UNITS, WORK
from llama2_myhdl.sim.simulator import Simulator
from llama2_myhdl.spec import kinds
from llama2_myhdl.spec.causes import CAUSES, WEIGHTS
from llama2_myhdl.spec.causes import HEADER as HEADER_BEAT

STAGES = {
    kinds.KEY: "Wk",
    kinds.QUERY: "Wq",
    kinds.VALUE: "Wv",
    kinds.OUT: "Wo",
    kinds.GATE_UP: "W1 W3",
    kinds.PARTIAL: "W2",
    kinds.DOWN: "W2",
    kinds.LOGITS: "classifier",
    kinds.GAIN: "gains",
}
WAIT, IDLE = "wait", "idle"
BUS = "bus"  # a beat of weights comes in


class Spans:
    """Runs of busy cycles of one unit: [[first cycle, number of cycles], ...]."""

    def __init__(self):
        self.runs = []

    def add(self, cycle: int, length: int = 1) -> None:
        """The unit was busy from `cycle` on; cycles come in rising order."""
        if self.runs and sum(self.runs[-1]) == cycle:
            self.runs[-1][1] += length
        else:
            self.runs.append([cycle, length])

    def count(self) -> int:
        """Busy cycles in all."""
        return sum(length for _, length in self.runs)


class Station:
    """The rows of one station. path: its instance; number: its place in the chain. A build with its weights in memory
    has a unit `bus`."""

    def __init__(self, simulator: Simulator, path: str, number: int):
        self._number = number
        beat = f"m_axi_{number}_rvalid"
        self._units = (*UNITS, BUS) if simulator.has(beat) else UNITS
        fields = [*PACKET, *(name for name in WORK if simulator.has(f"{path}.{name}"))]
        self._streams = [probe for probe in PROBES if simulator.has(f"{path}.{probe.stream}_valid")]
        pins = [f"{probe.stream}_{pin}" for probe in self._streams for pin in ("valid", "ready")]
        self._names = [*fields, "kind", *pins]
        paths = [f"{path}.{name}" for name in [*fields, ".".join(KIND), *pins]]
        if BUS in self._units:  # the master always takes what comes
            self._names.append(BUS)
            paths.append(beat)
        self._recorder = simulator.recorder(paths)
        self._recorder.arm(False)
        self._doors = {unit: {p.stream for p in self._streams if unit in p.units} for unit in UNITS}

    def start(self, first: int) -> None:
        """Rows from now on; those under way are dropped. first: the station's first layer."""
        self._first = first
        self._recorder.take()
        self._recorder.arm(True)
        self._held = None  # the last values, whose end is not known yet
        self._key, self._begin, self._spans = None, 0, {}
        self._layer, self._inside = self._first, False

    def stop(self) -> None:
        """No more rows."""
        self._recorder.arm(False)

    def rows(self, offset: int, end: int | None = None) -> Iterator[dict]:
        """The rows that are whole; offset: what the decoder's own cycle count is ahead of the simulator's.

        end: a cycle of the simulator, from which on there are no more: the row under way ends there.
        """
        for cycle, *values in self._recorder.take().tolist():
            if self._held is not None:
                begin, before = self._held
                yield from self._look(begin + offset, cycle - begin, before)
            self._held = cycle, dict(zip(self._names, values))
        if end is not None and self._held is not None:
            begin, before = self._held
            yield from self._look(begin + offset, end - begin, before)
            yield self._row(end + offset)
            self._held, self._key = None, None

    def _look(self, cycle: int, length: int, now: dict) -> Iterator[dict]:
        """The same values for `length` cycles; `done` holds for one."""
        if now["start"]:
            self._inside, self._layer = True, self._first
        beats = now["cause"] in (WEIGHTS, HEADER_BEAT)
        stage = (STAGES[now["kind"]] if beats else WAIT) if self._inside else IDLE
        if stage == STAGES[kinds.KEY]:
            self._layer = self._first + now["layer"]  # it moves on while a layer's last matrix is at work
        key = (stage, self._layer, now["seq"], now["pos"]) if self._inside else (IDLE, 0, 0, 0)
        if key != self._key:
            if self._key is not None:
                yield self._row(cycle)
            self._key, self._begin, self._spans = key, cycle, {unit: Spans() for unit in self._units}
            self._causes = [0] * len(CAUSES)
        self._causes[now["cause"]] += length
        moving = {p.stream for p in self._streams if now[f"{p.stream}_valid"] and now[f"{p.stream}_ready"]}
        for unit, doors in self._doors.items():
            if not moving.isdisjoint(doors):
                self._spans[unit].add(cycle, length)
        if now["cause"] == WEIGHTS:
            self._spans["matvec"].add(cycle, length)
        if now.get("attention_busy"):
            self._spans["attention"].add(cycle, length)
        if now.get(BUS):
            self._spans[BUS].add(cycle, length)
        if now["done"]:
            self._inside = False

    def _row(self, end: int) -> dict:
        """station, cycle (its first), cycles (how many), stage, layer, seq, pos, busy {unit: cycles}, spans {unit: runs
        as `Spans`}, causes {cause: cycles}."""
        stage, layer, seq, pos = self._key
        return dict(
            station=self._number,
            cycle=self._begin,
            cycles=end - self._begin,
            stage=stage,
            layer=layer,
            seq=seq,
            pos=pos,
            busy={unit: runs.count() for unit, runs in self._spans.items()},
            spans={unit: runs.runs for unit, runs in self._spans.items() if runs.runs},
            causes={cause: count for cause, count in zip(CAUSES, self._causes) if count},
        )
