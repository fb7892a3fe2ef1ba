"""Pictures over time, as SVG: the units of one engine, and the positions in all stations. The same bytes every time."""

from collections.abc import Iterable
from dataclasses import dataclass

from llama2_myhdl.host.drawing import canvas, svg
from llama2_myhdl.sim.trace import WAIT

ROWS = (  # label, unit of the cycle table, colour
    ("matvec", "matvec", "#2563eb"),
    ("RoPE", "rope", "#0891b2"),
    ("head quantisers", "heads", "#0d9488"),
    ("attention", "attention", "#c026d3"),
    ("residual", "residual", "#16a34a"),
    ("RMSNorm", "norm", "#ca8a04"),
    ("SwiGLU", "swiglu", "#ea580c"),
    ("block quantiser", "quantiser", "#dc2626"),
    ("argmax", "argmax", "#7c3aed"),
    ("bus", "bus", "#475569"),
)
STAGE_COLOUR, WAIT_COLOUR, INK, LINE = "#e2e8f0", "#ffffff", "#0f172a", "#cbd5e1"
PALETTE = ("#93c5fd", "#fdba74", "#86efac", "#f0abfc", "#fde047", "#67e8f9", "#fca5a5", "#c4b5fd")
LETTERS = 130  # of a name, that the width of a picture has room for
POINTS = 700  # about the width of a picture; gaps that are narrower than one are closed


@dataclass(frozen=True)
class Window:
    """A part of the cycle table of one station; cycles count from its first.

    stages: (name, first, cycles); spans: {unit: [(first, cycles), ...]}.
    """

    cycles: int
    stages: list[tuple[str, int, int]]
    spans: dict[str, list[tuple[int, int]]]


def window(rows: list[dict]) -> Window:
    """Of rows that follow one another."""
    origin, spans = rows[0]["cycle"], {}
    stages = [(row["stage"], row["cycle"] - origin, row["cycles"]) for row in rows]
    for row in rows:
        for unit, runs in row["spans"].items():
            spans.setdefault(unit, []).extend((first - origin, length) for first, length in runs)
    return Window(sum(row["cycles"] for row in rows), stages, spans)


def joined(spans: Iterable[tuple[int, int]], gap: float) -> list[tuple[int, int]]:
    """The spans with all gaps of less than `gap` closed."""
    result = []
    for first, length in spans:
        if result and first - sum(result[-1]) < gap:
            result[-1] = (result[-1][0], first + length - result[-1][0])
        else:
            result.append((first, length))
    return result


def _name(axes, text: str, first: float, cycles: float, height: float, width: float) -> None:
    """A name in the middle of a bar, where the bar has room for it."""
    if cycles * LETTERS >= (len(text) + 1) * width:
        axes.text(first + cycles / 2, height, text, ha="center", va="center", fontsize=9, color=INK, clip_on=True)


def units(part: Window, title: str, what: str) -> bytes:
    """Which unit is busy when; `what` names the part on the axis of time."""
    figure, ((axes,),) = canvas(1, 4.6)
    shown = [(label, part.spans[unit], colour) for label, unit, colour in ROWS if part.spans.get(unit)]
    top, gap = len(shown), part.cycles / POINTS
    for stage, first, cycles in part.stages:
        if cycles >= gap:
            colour = WAIT_COLOUR if stage == WAIT else STAGE_COLOUR
            axes.broken_barh([(first, cycles)], (top + 0.1, 0.8), facecolor=colour, edgecolor=INK, linewidth=0.6)
            axes.axvline(first, color=LINE, linewidth=0.5, zorder=0)
        _name(axes, stage, first, cycles, top + 0.5, part.cycles)
    for k, (_, spans, colour) in enumerate(shown):
        axes.broken_barh(joined(spans, gap), (top - 1 - k + 0.15, 0.7), facecolor=colour, linewidth=0)
    busy = [sum(cycles for _, cycles in spans) / part.cycles for _, spans, _ in shown]
    labels = [label for label, _, _ in shown]
    axes.set_yticks([top - k + 0.5 for k in range(top + 1)], ["matrix at the matvec", *labels])
    axes.tick_params(axis="y", length=0)
    share = axes.secondary_yaxis("right")
    share.set_yticks([top - 1 - k + 0.5 for k in range(top)], [f"{part:.0%}" for part in busy])
    share.tick_params(axis="y", length=0)
    axes.set_xlim(0, part.cycles)
    axes.set_ylim(0, top + 1)
    axes.set_xlabel(f"cycle of the {what}; on the right, the share of busy cycles")
    axes.set_title(title, fontsize=11)
    return svg(figure)


def stays(rows: list[dict]) -> dict[int, list[tuple[int, int, int, int]]]:
    """{station: [(sequence, position, first cycle, cycles), ...]}: how long each token is in each station."""
    result = {}
    for row in rows:
        runs = result.setdefault(row["station"], [])
        token = (row["seq"], row["pos"])
        if runs and runs[-1][:2] == token:
            runs[-1] = (*token, runs[-1][2], row["cycle"] + row["cycles"] - runs[-1][2])
        else:
            runs.append((*token, row["cycle"], row["cycles"]))
    return result


def wavefront(panels: list[tuple[str, list[dict], bool]], engines: int) -> bytes:
    """Tokens in all stations over time. A panel: title, rows, whether colours stand for sequences, not positions."""
    figure, grid = canvas(len(panels), 2.9 * len(panels))
    for (title, rows, by_sequence), (axes,) in zip(panels, grid):
        found = stays(rows)
        origin = min(first for runs in found.values() for _, _, first, _ in runs)
        width = max(first + cycles for runs in found.values() for _, _, first, cycles in runs) - origin
        names = [f"engine {k}" if k < engines else "head" for k in range(max(found) + 1)]
        for station, runs in found.items():
            height = len(names) - 1 - station
            for seq, pos, first, cycles in runs:
                colour = PALETTE[(seq if by_sequence else pos) % len(PALETTE)]
                bar = [(first - origin, cycles)]
                axes.broken_barh(bar, (height + 0.1, 0.8), facecolor=colour, edgecolor=INK, linewidth=0.5)
                text = f"{'ABCDEFGH'[seq]}{pos}" if by_sequence else str(pos)
                _name(axes, text, first - origin, cycles, height + 0.5, width)
        axes.set_yticks([len(names) - 1 - k + 0.5 for k in range(len(names))], names)
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0, width)
        axes.set_ylim(0, len(names))
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("cycle")
    return svg(figure)
