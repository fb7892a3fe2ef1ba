"""The cycle table: what the engine works on, cycle by cycle, and which units are busy.

A `Tracer` (inside the simulator) samples the engine every cycle and reports a row whenever layer, stage or position
changes; `HEADER` and `line` lay the rows out as text. The stage is the matrix at the matvec, or `wait` between two; the
layer is that matrix's, the last one for the classifier. Rows begin with the first matrix or gain vector.
A unit is busy in a cycle in which it takes or gives an element; what is only on its way inside a pipeline is not
counted. Matvec and attention have a busy signal of their own.
"""

import cocotb
from cocotb.triggers import RisingEdge

from rtl.layer import kinds
from rtl.matvec.issue import IDLE

STAGES = {
    kinds.KEY: "Wk",
    kinds.VALUE: "Wv",
    kinds.QUERY: "Wq",
    kinds.OUT: "Wo",
    kinds.GATE_UP: "W1 W3",
    kinds.DOWN: "W2",
    kinds.LOGITS: "classifier",
    kinds.GAIN: "gains",
}
WAIT = "wait"
# unit -> its busy signal, or the streams at its doors; local names in rtl/layer/engine.py
BUSY = {"matvec": "mac_beat", "attention": "attention_busy"}
DOORS = {
    "rope": ("head_row", "turned"),
    "heads": ("turned", "head"),
    "residual": ("fresh_x", "delta", "x"),
    "norm": ("x", "normed", "inverse_rms"),
    "swiglu": ("up", "gated"),
    "quantiser": ("chosen", "words"),
    "argmax": ("logit", "best"),
}
UNITS = ("matvec", "rope", "heads", "attention", "residual", "norm", "swiglu", "quantiser", "argmax")
HEADER = f"{'cycle':>10} {'cycles':>7} {'pos':>5} {'layer':>5}  {'stage':<10} busy cycles of the units"


def line(row: dict, token: str) -> str:
    """One row of the table; `token` is the text of the token at that position."""
    busy = "  ".join(f"{unit} {count}" for unit, count in row["busy"].items() if count)
    where = f"{row['cycle']:>10} {row['cycles']:>7} {row['pos']:>5} {row['layer']:>5}  {row['stage']:<10}"
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
    """Calls `emit(event="trace", ...)` with every row from its creation on.

    A row: cycle (its first), cycles (how many), stage, layer, pos, busy {unit: cycles}, spans {unit: runs as `Spans`}.
    """

    def __init__(self, dut, emit):
        engine = dut.u_layers
        self._clk, self._cycles, self._emit = dut.clk, dut.cycles, emit
        issue = engine.u_matrix.u_u_issue
        self._phase, self._kind = issue.phase, issue.kind
        self._layer, self._pos = engine.layer, engine.pos
        self._busy = {unit: getattr(engine, pin) for unit, pin in BUSY.items()}
        names = {name for streams in DOORS.values() for name in streams}
        self._streams = {name: [getattr(engine, f"{name}_{pin}") for pin in ("valid", "ready")] for name in names}
        cocotb.start_soon(self._run())

    def _stage(self):
        return WAIT if int(self._phase.value) == IDLE else STAGES[int(self._kind.value)]

    def _working(self) -> list[str]:
        """The units that are busy in this cycle."""
        moving = {name for name, (valid, ready) in self._streams.items() if valid.value == 1 and ready.value == 1}
        units = [unit for unit, streams in DOORS.items() if not moving.isdisjoint(streams)]
        return units + [unit for unit, pin in self._busy.items() if pin.value == 1]

    async def _run(self):
        edge = RisingEdge(self._clk)
        while self._stage() == WAIT:  # no position yet
            await edge
        key, layer, start, spans = None, 0, 0, {}
        while True:
            stage, pos, cycle = self._stage(), int(self._pos.value), int(self._cycles.value)
            if stage == STAGES[kinds.KEY]:
                layer = int(self._layer.value)  # it may move on while the layer's last matrix is still at work
            elif key is not None and pos != key[2]:
                layer = 0
            now = (stage, layer, pos)
            if now != key:
                if key is not None:
                    self._report(key, start, cycle, spans)
                key, start, spans = now, cycle, {unit: Spans() for unit in UNITS}
            for unit in self._working():
                spans[unit].add(cycle)
            await edge

    def _report(self, key, start, end, spans):
        stage, layer, pos = key
        self._emit(
            event="trace",
            cycle=start,
            cycles=end - start,
            stage=stage,
            layer=layer,
            pos=pos,
            busy={unit: runs.count() for unit, runs in spans.items()},
            spans={unit: runs.runs for unit, runs in spans.items() if runs.runs},
        )
