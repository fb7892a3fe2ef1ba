"""`python -m host.timing`: one layer of one token as a timing picture, from the cycle table of a simulation.

Runs the decoder from the first token on and draws when each unit was busy, cycle by cycle, from the start of a layer's
Wk to the start of the next layer's (or of the classifier). The model is --model, or stories260K in the folder that
LLAMA2_MODELS names, or the shipped one.
"""

import argparse
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib

from golden.checkpoint import read_checkpoint
from golden.errors import ModelError
from golden.files import write_whole
from host.models import DEFAULT, build_with, stories260k
from host.simulate import Job, SimulationError, events, prepare
from host.trace import WAIT
from rtl.config import ConfigError
from weights.cache import quantised, tape_file

OUTPUT = Path(__file__).resolve().parents[1] / "docs" / "layer-timing.svg"
FIRST_TOKEN = 1  # beginning of a text
SIM = "verilator"
ROWS = (  # label, unit of the cycle table, colour
    ("matvec", "matvec", "#2563eb"),
    ("RoPE", "rope", "#0891b2"),
    ("head quantiser", "heads", "#0d9488"),
    ("attention", "attention", "#c026d3"),
    ("residual", "residual", "#16a34a"),
    ("RMSNorm", "norm", "#ca8a04"),
    ("SwiGLU", "swiglu", "#ea580c"),
    ("block quantiser", "quantiser", "#dc2626"),
)
STAGE_COLOUR, WAIT_COLOUR, INK = "#e2e8f0", "#ffffff", "#0f172a"
LETTERS = 130  # of a stage's name, that the width of the picture has room for


@dataclass(frozen=True)
class Layer:
    """One layer; cycles count from its first. stages: (name, first, cycles); spans: {unit: [(first, cycles), ...]}."""

    cycles: int
    stages: list[tuple[str, int, int]]
    spans: dict[str, list[tuple[int, int]]]


def cut(rows: list[dict], layer: int) -> Layer:
    """A layer's part of one token's rows of the cycle table; ValueError when they do not hold it to its end."""
    begins = [k for k, row in enumerate(rows) if k == 0 or rows[k - 1]["stage"] != row["stage"]]
    borders = [k for k in begins if rows[k]["stage"] in ("Wk", "classifier")]
    if layer + 1 >= len(borders):
        raise ValueError(f"layer {layer}: the cycle table has {max(0, len(borders) - 1)} whole layers")
    part, origin = rows[borders[layer] : borders[layer + 1]], rows[borders[layer]]["cycle"]
    stages = [(row["stage"], row["cycle"] - origin, row["cycles"]) for row in part]
    spans = {}
    for row in part:
        for unit, runs in row["spans"].items():
            spans.setdefault(unit, []).extend((first - origin, length) for first, length in runs)
    return Layer(sum(row["cycles"] for row in part), stages, spans)


def simulate(model: Path, lanes: int, pos: int) -> list[dict]:
    """The cycle table's rows of the token at `pos`; a text from the first token on, told freely."""
    build, shape = build_with(lanes), read_checkpoint(model).shape
    build.check(shape)
    if not 0 <= pos < shape.seq_len:
        raise ModelError(f"--pos: must be from 0 to {shape.seq_len - 1}, is {pos}")
    job = Job([FIRST_TOKEN], pos + 1, str(tape_file(model, quantised(model), lanes)), trace=True)
    rows = [event for event in events(prepare(build, SIM), SIM, [job]) if event["event"] == "trace"]
    return [row for row in rows if row["pos"] == pos]


def picture(layer: Layer, title: str) -> bytes:
    """The layer as SVG; the same bytes for the same layer."""
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "llama2.myhdl"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(12, 4.6), layout="constrained", facecolor="white")
    top = len(ROWS)
    for stage, first, cycles in layer.stages:
        colour = WAIT_COLOUR if stage == WAIT else STAGE_COLOUR
        axes.broken_barh([(first, cycles)], (top + 0.1, 0.8), facecolor=colour, edgecolor=INK, linewidth=0.6)
        if cycles * LETTERS >= (len(stage) + 1) * layer.cycles:
            axes.text(first + cycles / 2, top + 0.5, stage, ha="center", va="center", fontsize=9, color=INK)
        axes.axvline(first, color="#cbd5e1", linewidth=0.5, zorder=0)
    for k, (_, unit, colour) in enumerate(ROWS):
        axes.broken_barh(layer.spans.get(unit, []), (top - 1 - k + 0.15, 0.7), facecolor=colour, linewidth=0)
    busy = [sum(cycles for _, cycles in layer.spans.get(unit, [])) / layer.cycles for _, unit, _ in ROWS]
    axes.set_yticks([top - k + 0.5 for k in range(top + 1)], ["matrix at the matvec", *(label for label, _, _ in ROWS)])
    axes.tick_params(axis="y", length=0)
    share = axes.secondary_yaxis("right")
    share.set_yticks([top - 1 - k + 0.5 for k in range(top)], [f"{part:.0%}" for part in busy])
    share.tick_params(axis="y", length=0)
    axes.set_xlim(0, layer.cycles)
    axes.set_ylim(0, top + 1)
    axes.set_xlabel("cycle of the layer; on the right, the share of busy cycles")
    axes.set_title(title, fontsize=11)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    return buffer.getvalue()


def main(argv=None) -> int:
    """Exit status 0, or 2 after one line that says what was wrong."""
    parser = argparse.ArgumentParser(prog="host.timing", description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="llama2.c checkpoint")
    parser.add_argument("--lanes", type=int, default=64, help="weights a beat (64)")
    parser.add_argument("--pos", type=int, default=31, help="position of the token (31)")
    parser.add_argument("--layer", type=int, default=1, help="layer, from 0 (1)")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="file to write (docs/layer-timing.svg)")
    args = parser.parse_args(argv)
    try:
        model = args.model or stories260k() or DEFAULT / "model.bin"
        layer = cut(simulate(model, args.lanes, args.pos), args.layer)
        name = "shipped model" if model == DEFAULT / "model.bin" else model.stem
        title = f"{name}, {args.lanes} lanes: layer {args.layer} at position {args.pos}, {layer.cycles} cycles"
        write_whole(args.output, [picture(layer, title)])
    except (ModelError, ConfigError, SimulationError, ValueError, OSError) as error:
        print(f"timing: {error}", file=sys.stderr)
        return 2
    print(f"{args.output}: {title}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
