"""`make timing`: one layer of one token as a timing picture, from the cycle table of a simulation.

Runs the decoder from the first token on and draws when each unit was busy, cycle by cycle, from the start of a layer's
Wk to the start of the next layer's (or of the classifier). The model is --model, or stories260K in the folder that
LLAMA2_MODELS names, or the shipped one.
"""

import sys
from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import check_writable, write_whole
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.base.options import Parser
from llama2_myhdl.host.bench_machine import SIM
from llama2_myhdl.host.gantt import Window, units, window
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.sim.jobs import Job, run
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.sim.trace import STAGES
from llama2_myhdl.spec.config import BuildConfig, ConfigError
from llama2_myhdl.spec.kinds import KEY, LOGITS
from llama2_myhdl.spec.presets import build_of
from llama2_myhdl.weights.cache import quantised, tape_file
from llama2_myhdl.weights.models import DEFAULT, stories260k

OUTPUT = PROJECT / "docs" / "layer-timing.svg"
FIRST_TOKEN = 1  # beginning of a text
FIRST, END = STAGES[KEY], STAGES[LOGITS]  # a layer begins with the one, the layers end with the other


def cut(rows: list[dict], layer: int) -> Window:
    """A layer's part of one token's rows of the cycle table; ValueError when they do not hold it to its end."""
    borders = {}  # first row of each layer's Wk, then of the classifier
    for k, row in enumerate(rows):
        if row["stage"] in (FIRST, END):
            borders.setdefault((row["stage"], row["layer"]), k)
    begins = list(borders.values())
    if layer + 1 >= len(begins):
        raise ValueError(f"layer {layer}: the cycle table has {max(0, len(begins) - 1)} whole layers")
    return window(rows[begins[layer] : begins[layer + 1]])


def simulate(model: Path, build: BuildConfig, pos: int, layer: int) -> list[dict]:
    """The cycle table's rows of the token at `pos`; a text from the first token on, told freely.

    ModelError, before the simulation, when the model has no such position or layer.
    """
    shape = read_model(model).shape
    build.check(shape)
    for option, value, limit in (("--pos", pos, shape.seq_len), ("--layer", layer, shape.n_layers)):
        if not 0 <= value < limit:
            raise ModelError(f"{option}: must be from 0 to {limit - 1}, is {value}")
    job = Job([FIRST_TOKEN], pos + 1, str(tape_file(model, quantised(model), build)), trace=True)
    (outcome,) = run(build, SIM, [job])
    return [row for row in outcome.trace if row["pos"] == pos]


def main(argv=None) -> int:
    """Exit status 0, or 2 after one line that says what was wrong."""
    parser = Parser(prog="timing", description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="llama2.c checkpoint")
    parser.add_argument("--config", default="default", help="build preset (default)")
    parser.add_argument("--lanes", type=int, help="weights a beat, instead of the preset's")
    parser.add_argument("--pos", type=int, default=31, help="position of the token (31)")
    parser.add_argument("--layer", type=int, default=1, help="layer, from 0 (1)")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="file to write (docs/layer-timing.svg)")
    args = parser.parse_args(argv)
    try:
        check_writable(args.output)
        model = args.model or stories260k() or DEFAULT / "model.bin"
        build = build_of(args.config, lanes=args.lanes)
        layer = cut(simulate(model, build, args.pos, args.layer), args.layer)
        name = "shipped model" if model == DEFAULT / "model.bin" else model.stem
        title = f"{name}, {build.lanes} lanes: layer {args.layer} at position {args.pos}, {layer.cycles} cycles"
        write_whole(args.output, [units(layer, title, "layer")])
    except (ModelError, ConfigError, SimulationError, ValueError, OSError) as error:
        print(f"timing: {error}", file=sys.stderr)
        return 2
    print(f"{args.output}: {title}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
