"""The cycle table: what an engine works on, cycle by cycle, and which units are busy.

A `Tracer` (inside the simulator) samples all stations every cycle and reports a row whenever a station's layer, stage,
sequence or position changes; `header` and `line` lay the rows out as text. The stage is the matrix that the matvec
takes beats of, `wait` while it takes none, `idle` while the station has no packet. The layer is that matrix's; for the
classifier it is the last one, or in a station of its own the number of layers. A unit is busy in a cycle in which it
takes or gives an element; what is only on its way inside a pipeline is not counted. Matvec and attention have a busy
signal of their own.
"""

import cocotb
from cocotb.triggers import RisingEdge

from llama2_myhdl.host.stations import station_handles
from llama2_myhdl.rtl.layer import kinds
from llama2_myhdl.rtl.layer.causes import HEADER as HEADER_BEAT
from llama2_myhdl.rtl.layer.causes import WEIGHTS

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
# unit -> the streams at its doors; local names in rtl/layer/engine.py and rtl/logits/head.py
DOORS = {
    "rope": ("head_row", "turned"),
    "heads": ("turned", "head", "value_row", "values"),
    "residual": ("fresh_x", "delta", "x"),
    "norm": ("to_norm", "normed", "inverse_rms"),
    "swiglu": ("up", "gated"),
    "quantiser": ("chosen", "words"),
    "argmax": ("logit", "best"),
}
UNITS = ("matvec", "rope", "heads", "attention", "residual", "norm", "swiglu", "quantiser", "argmax")


def header(several: bool = False) -> str:
    """The heads of the columns of `line`."""
    station = f"{'station':>7} " if several else ""
    where = f"{'cycle':>10} {'cycles':>7} {station}{'pos':>5} {'layer':>5}  {'stage':<10}"
    return f"{where} {'token':<12} busy cycles of the units"


def line(row: dict, token: str, several: bool = False) -> str:
    """One row of the table; token: the text of the token at that position; several: with the row's station."""
    busy = "  ".join(f"{unit} {count}" for unit, count in row["busy"].items() if count)
    station = f"{row['station']:>7} " if several else ""
    where = f"{row['cycle']:>10} {row['cycles']:>7} {station}{row['pos']:>5} {row['layer']:>5}  {row['stage']:<10}"
    return f"{where} {token!r:<12} {busy}"


class Spans:
    """Runs of busy cycles of one unit: [[first cycle, number of cycles], ...]."""

    def __init__(self):
        self.runs = []

    def add(self, cycle: int) -> None:
        """The unit was busy in `cycle`; cycles come in rising order."""
        if self.runs and sum(self.runs[-1]) == cycle:
            self.runs[-1][1] += 1
        else:
            self.runs.append([cycle, 1])

    def count(self) -> int:
        """Busy cycles in all."""
        return sum(length for _, length in self.runs)


class Tracer:
    """Calls `emit(event="trace", ...)` with every row from its creation until `stop`.

    A row: station, cycle (its first), cycles (how many), stage, layer, seq, pos, busy {unit: cycles}, spans {unit: runs
    as `Spans`}.
    """

    def __init__(self, dut, stations: int, emit):
        handles, first = station_handles(dut, stations), 0
        self._tasks = []
        for number, handle in enumerate(handles):
            self._tasks.append(cocotb.start_soon(Station(dut, number, handle, first, emit).run()))
            if hasattr(handle, "n_layers"):
                first += int(handle.n_layers.value)

    def stop(self) -> None:
        """No more rows; those under way are dropped."""
        for task in self._tasks:
            task.cancel()


class Station:
    """The rows of one station; `first`: number of its first layer."""

    def __init__(self, dut, number, handle, first, emit):
        self._clk, self._cycles, self._number, self._first, self._emit = dut.clk, dut.cycles, number, first, emit
        self._cause, self._kind = handle.cause, handle.u_matrix.now_kind
        self._layer, self._pos, self._seq, self._start, self._done = (
            getattr(handle, name) for name in ("layer", "pos", "seq", "start", "done")
        )
        self._attention = getattr(handle, "attention_busy", None)
        names = {name for streams in DOORS.values() for name in streams}
        self._streams = {
            name: [getattr(handle, f"{name}_{pin}") for pin in ("valid", "ready")]
            for name in names
            if hasattr(handle, f"{name}_valid") and hasattr(handle, f"{name}_ready")
        }

    def _stage(self) -> str:
        return STAGES[int(self._kind.value)] if int(self._cause.value) in (WEIGHTS, HEADER_BEAT) else WAIT

    def _working(self) -> list[str]:
        """The units that are busy in this cycle."""
        moving = {name for name, (valid, ready) in self._streams.items() if valid.value == 1 and ready.value == 1}
        units = [unit for unit, streams in DOORS.items() if not moving.isdisjoint(streams)]
        if int(self._cause.value) == WEIGHTS:
            units.append("matvec")
        if self._attention is not None and self._attention.value == 1:
            units.append("attention")
        return units

    async def run(self):
        """Sample every cycle."""
        edge = RisingEdge(self._clk)
        key, start, spans, layer, inside = None, 0, {}, self._first, False
        while True:
            await edge
            cycle = int(self._cycles.value)
            if self._start.value == 1:
                inside, layer = True, self._first
            stage = self._stage() if inside else IDLE
            if stage == STAGES[kinds.KEY]:
                layer = self._first + int(self._layer.value)  # it moves on while a layer's last matrix is at work
            now = (stage, layer, int(self._seq.value), int(self._pos.value)) if inside else (IDLE, 0, 0, 0)
            if now != key:
                if key is not None:
                    self._report(key, start, cycle, spans)
                key, start, spans = now, cycle, {unit: Spans() for unit in UNITS}
            for unit in self._working():
                spans[unit].add(cycle)
            if self._done.value == 1:
                inside = False

    def _report(self, key, start, end, spans):
        stage, layer, seq, pos = key
        self._emit(
            event="trace",
            station=self._number,
            cycle=start,
            cycles=end - start,
            stage=stage,
            layer=layer,
            seq=seq,
            pos=pos,
            busy={unit: runs.count() for unit, runs in spans.items()},
            spans={unit: runs.runs for unit, runs in spans.items() if runs.runs},
        )
