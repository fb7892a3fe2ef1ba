"""`make figures` measures the published figures, writes docs/figures.json and the README's tables.

A figure is never typed in. Where an input is missing, one line says so; the figure found earlier stays, and is marked
when the sources behind it have changed since.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.options import Parser
from llama2_myhdl.host import figures_measure as measure
from llama2_myhdl.host.figures_measure import Missing
from llama2_myhdl.host.figures_report import render
from llama2_myhdl.host.readme import README, ReadmeError, insert
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.formats import WEIGHT_BITS

JSON, SECTION = README.parent / "docs" / "figures.json", "figures"
MODELS = ("stories260K", "default")
# whose accuracy is measured, and with how many bits a weight
ROUNDED = {name: (name, WEIGHT_BITS[0]) for name in MODELS} | {"stories260K, WEIGHT_BITS=16": ("stories260K", 16)}
BLOCKS = ("matvec", "attention", "rmsnorm", "argmax", "rope", "swiglu", "quantiser")
FATE = {  # what is said of a figure that could not be measured
    "missing": "no figure",
    "measured": "the earlier figure stays, nothing that it depends on has changed",
    "earlier": "the earlier figure stays, marked, as its sources have changed",
}
GROUPS = ("agreement", "accuracy", "perplexity", "routed", "bus")  # what can be asked for alone; the rest costs nothing


@dataclass(frozen=True)
class Figure:
    """One entry of the JSON file. measure: its values, or Missing; sources: a digest of what they depend on."""

    name: str
    command: str
    measure: Callable[[], dict]
    sources: Callable[[], str]

    @property
    def group(self) -> str:
        return self.name.split("/")[0]


def plan() -> list[Figure]:
    """All figures in the order of the tables."""
    figures = [Figure("agreement", "make figures ONLY=agreement", measure.agreement, measure.agreement_digest)]
    for name, (model, bits) in ROUNDED.items():
        run, digest = partial(measure.accuracy, model, bits), partial(measure.accuracy_digest, model)
        figures.append(Figure(f"accuracy/{name}", "make figures ONLY=accuracy", run, digest))
    for model in MODELS:
        run, digest = partial(measure.perplexity, model), partial(measure.perplexity_digest, model)
        figures.append(Figure(f"perplexity/{model}", "make figures ONLY=perplexity", run, digest))
    for block in BLOCKS:
        digest = partial(measure.verilog_digest, block)
        figures.append(Figure(f"routed/{block}", f"make pnr BLOCK={block}", partial(measure.routed, block), digest))
    for config in measure.POSITIONS_OF:
        run, digest = partial(measure.bus, config), partial(measure.bus_digest, config)
        figures.append(Figure(f"bus/{config}", "make figures ONLY=bus", run, digest))
    digest = partial(measure.source_digest, "spec/*.py")
    return [*figures, Figure("configurations", "make figures", measure.configurations, digest)]


def keep(earlier: dict | None, sources: str, why: str) -> dict:
    """What becomes of a figure that was not measured now: the earlier one, or a note that there is none."""
    if earlier is None or earlier["state"] == "missing":
        return dict(state="missing", why=why)
    return earlier | dict(state="measured" if earlier["sources"] == sources else "earlier")


def collect(figures: list[Figure], earlier: dict, only: str | None, say: Callable[[str], None]) -> dict:
    """Measure the figures of one of GROUPS (None: all), keep the others; `say` gets a line for each one tried."""
    result = {}
    for figure in figures:
        sources, known = figure.sources(), earlier.get(figure.name)
        if only is not None and figure.group in GROUPS and figure.group != only:
            result[figure.name] = keep(known, sources, f"run {figure.command}")
            continue
        try:
            values = figure.measure()
        except Missing as why:
            entry = result[figure.name] = keep(known, sources, str(why))
            say(f"{figure.name}: {why}; {FATE[entry['state']]}")
        else:
            result[figure.name] = dict(state="measured", command=figure.command, sources=sources, values=values)
            say(f"{figure.name}: measured")
    return result


def main(argv=None) -> int:
    """Exit status 0, also with figures missing; 2 after one line when something went wrong."""
    parser = Parser(prog="figures", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=GROUPS, help="measure this group, keep the others")
    args = parser.parse_args(argv)
    try:
        text = README.read_text()
        insert(text, SECTION, "")  # refuse before minutes are spent
        earlier = json.loads(JSON.read_text()) if JSON.exists() else {}
        figures = collect(plan(), earlier, args.only, lambda line: print(line, file=sys.stderr, flush=True))
        write_whole(JSON, [(json.dumps(figures, indent=1) + "\n").encode()])
        write_whole(README, [insert(README.read_text(), SECTION, render(figures)).encode()])
    except (ModelError, ConfigError, SimulationError, ReadmeError, Missing, OSError, json.JSONDecodeError) as error:
        print(f"figures: {error}", file=sys.stderr)
        return 2
    print(f"{JSON} and the tables of {README}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
