"""`make toggles`: how many bits change in the decoder, a token and a cycle of rest, by unit (`sim/toggles.py`).

A story is told freely from the first token on; when it has ended the decoder rests. With --against the result stands
beside an earlier one, which --json has written.
"""

import json
import sys
from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import check_writable, write_whole
from llama2_myhdl.base.options import Parser
from llama2_myhdl.rtl.decoder import decoder, ports
from llama2_myhdl.sim.build import EVERYTHING, converted
from llama2_myhdl.sim.session import Session
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.sim.toggles import KINDS, Activity
from llama2_myhdl.spec.config import BuildConfig, ConfigError
from llama2_myhdl.spec.presets import build_that_holds
from llama2_myhdl.weights.cache import quantised, tape_file
from llama2_myhdl.weights.memory import read_packed
from llama2_myhdl.weights.models import DEFAULT

FIRST_TOKEN = 1  # beginning of a text
SETTLE, REST = 500, 2000  # cycles between a story and rest, and of rest
STATES = {"token": ("toggles a token", 0), "rest": ("toggles a cycle of rest", 2)}  # title, digits

Table = dict[str, dict[str, float]]


def scaled(table: dict[str, dict[str, int]], count: int) -> Table:
    return {unit: {kind: value / count for kind, value in row.items()} for unit, row in table.items()}


def measure(build: BuildConfig, tape: Path, steps: int, nets: int = 0) -> dict:
    """{"cycles": of a token, "token": table a token, "rest": table a cycle}; with `nets` the busiest of a token."""
    with Session(build, visible=EVERYTHING) as session:
        activity = Activity(session.sim, converted(decoder, ports(build)))
        if error := session.boot(*read_packed(tape, build)):
            raise SimulationError(f"the decoder refuses the boot image: error {error}")
        activity.start()
        begin = session.sim.cycle
        tokens = len(list(session.generate([FIRST_TOKEN], steps)))
        cycles = session.sim.cycle - begin
        found = activity.take()
        activity.stop()
        session.sim.run(SETTLE)
        activity.start()
        session.sim.run(REST)
        result = dict(tokens=tokens, cycles=cycles / tokens, token=scaled(activity.table(found), tokens))
        result |= dict(rest=scaled(activity.table(activity.take()), REST - 1))
    if nets:
        most = sorted((n for n in found if "all" in activity.kinds(n)), key=lambda net: -net[3])[:nets]
        result |= dict(nets=[[f"{path}.{name}", count / tokens] for _, path, name, count in most])
    return result


def totals(table: Table) -> dict[str, float]:
    return {kind: sum(row[kind] for row in table.values()) for kind in KINDS}


def lines(result: dict, before: dict | None) -> list[str]:
    """The tables as text; beside an earlier result with the change of each number."""
    shown = [f"{result['tokens']} tokens of {result['cycles']:,.0f} cycles"]
    for state, (title, digits) in STATES.items():
        old = before[state] if before else {}
        rows = [("total", totals(result[state]), totals(old))]
        rows += [(unit, row, old.get(unit, {})) for unit, row in result[state].items()]
        rows.sort(key=lambda row: -row[1]["all"])
        shown += ["", f"{title:24}" + "".join(f"{kind:>22}" for kind in KINDS)]
        for unit, row, was in rows:
            cells = [f"{row[kind]:,.{digits}f}{change(row[kind], was.get(kind))}" for kind in KINDS]
            shown.append(f"{unit:24}" + "".join(f"{cell:>22}" for cell in cells))
    shown += ["", *(f"{count:14,.0f}  {name}" for name, count in result.get("nets", ()))]
    return shown


def change(now: float, was: float | None) -> str:
    return f" ({100 * (now / was - 1):+6.1f}%)" if was else ""


def main(argv=None) -> int:
    """Exit status 0, or 2 after one line that says what was wrong."""
    parser = Parser(prog="toggles", description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=DEFAULT / "model.bin", help="checkpoint (the shipped one)")
    parser.add_argument("--config", default="default", help="build (default)")
    parser.add_argument("--steps", type=int, default=32, help="positions (32)")
    parser.add_argument("--nets", type=int, default=0, help="show so many of the busiest signals too")
    parser.add_argument("--json", type=Path, help="write the result to a file")
    parser.add_argument("--against", type=Path, help="an earlier result")
    args = parser.parse_args(argv)
    try:
        if args.json:
            check_writable(args.json)
        before = json.loads(args.against.read_text()) if args.against else None
        weights = quantised(args.model)
        build = build_that_holds(weights.shape, args.config)
        result = measure(build, tape_file(args.model, weights, build), args.steps, args.nets)
        if args.json:
            write_whole(args.json, [json.dumps(result, indent=1).encode()])
    except (ModelError, ConfigError, SimulationError, ValueError, OSError) as error:
        print(f"toggles: {error}", file=sys.stderr)
        return 2
    print("\n".join(lines(result, before)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
