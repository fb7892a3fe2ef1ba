"""`make fpga`: area, routed speed and cycles of decoders on devices; writes docs/fpga.json, docs/fpga.md and its curve.

Nothing is routed here, which takes half an hour each: the fastest run of `make pnr` is taken, where there is one. What
was measured stays until the Verilog changes; after each point all is written, so a run can be broken off and go on.
"""

import json
import sys
from collections.abc import Callable

from rich.console import Console

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.base.options import Parser
from llama2_myhdl.base.stages import stages
from llama2_myhdl.hdl.progress import Progress
from llama2_myhdl.host import fpga_measure as measure
from llama2_myhdl.host.fpga_points import Point, plan
from llama2_myhdl.host.fpga_report import PICTURE, picture, rate, render
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.syn.tools import ToolError

DOCS = PROJECT / "docs"
JSON, MARKDOWN = DOCS / "fpga.json", DOCS / "fpga.md"
FAILED, BAD_INPUT = 1, 2


def title(point: Point) -> str:
    """A configuration by name, with what has been changed."""
    return ", ".join([point.config, *(f"{value} {name}" if name != "context" else f"context {value}"
                                      for name, value in point.changes.items())])  # fmt: skip


def measured(point: Point, earlier: dict, say: Progress) -> dict:
    """The entry of one point: what is still true of the earlier one, and the rest anew."""
    entry = dict(title=title(point), arguments=point.arguments) | measure.area(point, say)
    same = earlier.get("verilog") == entry["verilog"]
    routed = measure.speed(point, entry["verilog"])
    if routed:
        entry |= routed | dict(fmax_verilog=entry["verilog"])
    else:
        entry |= {name: earlier[name] for name in (*measure.SPEED, "fmax_verilog") if name in earlier}
    if same and "cycles" in earlier:
        return entry | {name: earlier[name] for name in ("cycles", "positions")}
    return entry | measure.cycles(point, say)


def write(entries: dict[str, dict]) -> None:
    """All three files."""
    write_whole(JSON, [(json.dumps(entries, indent=1) + "\n").encode()])
    write_whole(MARKDOWN, [render(entries).encode()])
    write_whole(DOCS / PICTURE, [picture(entries)])


def collect(points: list[Point], entries: dict[str, dict], say: Progress, tell: Callable[[str], None]) -> list[str]:
    """Measure the points, writing after each; a line for each one that failed."""
    failures, order = [], [point.key for point in plan()]
    for point in points:
        try:
            entries[point.key] = measured(point, entries.get(point.key, {}), say)
        except (ToolError, ConfigError, SimulationError, OSError) as error:
            failures.append(f"{point.key}: {error}")
            continue
        entries.update({key: entries.pop(key) for key in order if key in entries})  # the plan's order
        write(entries)
        speed = rate(entries[point.key])
        tell(f"{point.key}: {entries[point.key]['cycles']:,.0f} cycles" + (f", {speed:,.0f} tokens/s" if speed else ""))
    return failures


def main(argv=None) -> int:
    """Exit status 0; 1 when a point failed; 2 after one line about bad input."""
    points = {point.key: point for point in plan()}
    parser = Parser(prog="fpga", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=points, help="measure this point, keep the others")
    parser.add_argument("--report", action="store_true", help="measure nothing, write the page from docs/fpga.json")
    args = parser.parse_args(argv)
    try:
        entries = json.loads(JSON.read_text()) if JSON.exists() else {}
        if args.report:
            write(entries)
            return 0
        chosen = [points[args.only]] if args.only else list(points.values())
        with stages(Console(stderr=True), "steps") as say:
            failures = collect(chosen, entries, say, lambda line: print(line, flush=True))
    except (ModelError, OSError, json.JSONDecodeError) as error:
        print(f"fpga: {error}", file=sys.stderr)
        return BAD_INPUT
    for line in failures:
        print(f"fpga: {line}", file=sys.stderr)
    return FAILED if failures else 0


if __name__ == "__main__":
    sys.exit(main())
