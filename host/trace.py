"""The cycle table: what the engine works on, cycle by cycle, and which units are busy.

A `Tracer` (inside the simulator) samples the engine every cycle and reports a row whenever layer, stage or position
changes; `HEADER` and `line` lay the rows out as text. The stage is the matrix at the matvec, or `wait` between two.
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
# unit -> signal of the engine that is high in a cycle in which the unit has work at its door
UNITS = {
    "matvec": "mac_beat",
    "rope": "head_row_valid",
    "heads": "turned_valid",
    "attention": "attention_busy",
    "residual": "delta_valid",
    "norm": "x_valid",
    "swiglu": "up_valid",
    "quantiser": "chosen_valid",
    "argmax": "logit_valid",
}
HEADER = f"{'cycle':>10} {'cycles':>7} {'pos':>5} {'layer':>5}  {'stage':<10} busy cycles of the units"


def line(row: dict, token: str) -> str:
    """One row of the table; `token` is the text of the token at that position."""
    busy = "  ".join(f"{unit} {count}" for unit, count in row["busy"].items() if count)
    where = f"{row['cycle']:>10} {row['cycles']:>7} {row['pos']:>5} {row['layer']:>5}  {row['stage']:<10}"
    return f"{where} {token!r:<12} {busy}"


class Tracer:
    """Calls `emit(event="trace", ...)` with every row from its creation on."""

    def __init__(self, dut, emit):
        engine = dut.u_layers
        self._clk, self._cycles, self._emit = dut.clk, dut.cycles, emit
        issue = engine.u_matrix.u_u_issue
        self._phase, self._kind = issue.phase, issue.kind
        self._layer, self._pos = engine.layer, engine.pos
        self._units = {unit: getattr(engine, pin) for unit, pin in UNITS.items()}
        cocotb.start_soon(self._run())

    def _stage(self):
        return WAIT if int(self._phase.value) == IDLE else STAGES[int(self._kind.value)]

    async def _run(self):
        edge = RisingEdge(self._clk)
        key, start, busy = None, 0, {}
        while True:
            await edge
            now = (self._stage(), int(self._layer.value), int(self._pos.value))
            if now != key:
                cycle = int(self._cycles.value)
                if key is not None:
                    stage, layer, pos = key
                    self._emit(
                        event="trace", cycle=start, cycles=cycle - start, stage=stage, layer=layer, pos=pos, busy=busy
                    )
                key, start, busy = now, cycle, dict.fromkeys(UNITS, 0)
            for unit, pin in self._units.items():
                if pin.value == 1:
                    busy[unit] += 1
