"""`make performance`: docs/performance.md, or one model on one board.

Without --board and --model it writes the page and its picture from docs/performance.json, with --measure after it has
simulated all that is in its first table. With them it prints one estimate and writes nothing.
"""

import json
import sys

from rich.console import Console

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.base.options import Parser
from llama2_myhdl.base.stages import stages
from llama2_myhdl.hdl.progress import Progress
from llama2_myhdl.host.performance import report
from llama2_myhdl.host.performance.boards import BOARDS, CLOCK, MODELS, one_of
from llama2_myhdl.host.performance.dram import LIMITS
from llama2_myhdl.host.performance.estimate import Estimate, estimate
from llama2_myhdl.host.performance.measure import hardware, measure
from llama2_myhdl.host.performance.plot import picture
from llama2_myhdl.host.performance.points import plan
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.config import ConfigError

DOCS = PROJECT / "docs"
JSON, MARKDOWN = DOCS / "performance.json", DOCS / "performance.md"
ONE = ("board", "model", "clock", "position", *LIMITS)  # options of one estimate


def line(model: str, board: str, found: Estimate, pos: int) -> str:
    """An estimate in a line."""
    notes = f"; beyond today's hardware or the board: {'; '.join(found.notes)}" if found.notes else ""
    return (
        f"{model} on {board}, {found.clock / 1e6:g} MHz, position {pos}: {found.rate:,.2f} tokens/s, {found.cycles:,} "
        f"cycles and {found.traffic:,.0f} bytes a token (keys, values and embedding too), "
        f"{found.used:.1%} of the memory{notes}"
    )


def write(stored: dict[str, dict], say: Progress) -> None:
    """The page and its picture."""
    entries, points = report.boards(say), plan()
    say("hardware of the points", 0, 1)
    page = report.render(stored, points, {point.key: hardware(point) for point in points}, entries)
    drawn = picture(entries, report.own_shares(stored, points, entries))
    write_whole(MARKDOWN, [page.encode()])
    write_whole(DOCS / report.PICTURE, [drawn])


def measured(stored: dict[str, dict], say: Progress) -> dict[str, dict]:
    """Every point simulated, and written at once; those that are no longer in the plan go."""
    points = plan()
    stored = {point.key: stored[point.key] for point in points if point.key in stored}
    for point in points:
        stored[point.key] = dict(hardware=hardware(point), **measure(point, say))
        whole = {other.key: stored[other.key] for other in points if other.key in stored}
        write_whole(JSON, [(json.dumps(whole, indent=1) + "\n").encode()])
        say(point.key, 1, 1)
    return stored


def main(argv=None) -> int:
    """Exit status 0; 2 after one line about bad input or a simulation that failed."""
    parser = Parser(prog="performance", description=__doc__.splitlines()[0])
    parser.add_argument("--board", help=f"one of {', '.join(BOARDS)}")
    parser.add_argument("--model", help=f"one of {', '.join(MODELS)}")
    parser.add_argument("--clock", type=float, help=f"MHz ({CLOCK:g})")
    parser.add_argument("--position", type=int, help=f"of the token ({report.EARLY})")
    for name, (unit, _, _) in LIMITS.items():
        parser.add_argument(f"--{name}", type=int if name == "width" else float, help=f"of the memory, {unit}")
    parser.add_argument("--measure", action="store_true", help="simulate what the model is checked against")
    args = parser.parse_args(argv)
    given = {name: value for name in ONE if (value := getattr(args, name)) is not None}
    try:
        if given:
            return one(args, given)
        stored = json.loads(JSON.read_text()) if JSON.exists() else {}
        with stages(Console(stderr=True), "steps") as say:
            if args.measure:
                stored = measured(stored, say)
            write(stored, say)
    except (ModelError, ConfigError, SimulationError, OSError, json.JSONDecodeError) as error:
        print(f"performance: {error}", file=sys.stderr)
        return 2
    print(MARKDOWN)
    return 0


def one(args, given: dict) -> int:
    """Print one estimate."""
    if args.measure or "board" not in given or "model" not in given:
        raise ModelError("board, model: both must be given for one estimate, and --measure not with them")
    board, shape = one_of(BOARDS, "board", args.board), one_of(MODELS, "model", args.model)
    pos = given.get("position", min(report.EARLY, shape.seq_len - 1))
    memory = {name: given[name] for name in LIMITS if name in given}
    found = estimate(shape, board, given.get("clock", CLOCK), pos, memory)
    model = next(name for name, known in MODELS.items() if known is shape)
    print(line(model, board.name, found, pos))
    return 0


if __name__ == "__main__":
    sys.exit(main())
