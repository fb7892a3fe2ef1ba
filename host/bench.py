"""`python -m llama2_myhdl.host.bench`: measures the decoder's speed and holds it against its limits.

Writes docs/bench.json, docs/bench.md, the README's section on performance and the pictures over time. With --quick it
does a few short runs, whose cycle counts must not be more than 2% above those in docs/bench.json.
"""

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.options import Parser
from llama2_myhdl.host import gantt
from llama2_myhdl.host.bench_limits import MEASURES, Results, compare, counts
from llama2_myhdl.host.bench_machine import FILES, attempt
from llama2_myhdl.host.bench_report import render, summary
from llama2_myhdl.host.bench_scenarios import FULL, PICTURED, QUICK, TRACED, VOICES, WAVE, Machine
from llama2_myhdl.host.readme import README, ReadmeError, insert
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.presets import build_of
from llama2_myhdl.weights.cache import quantised
from llama2_myhdl.weights.models import MODELS_VARIABLE, stories260k

DOCS = README.parent / "docs"
JSON, MARKDOWN, TOKEN, WAVEFRONT = (DOCS / name for name in ("bench.json", "bench.md", "token.svg", "wavefront.svg"))
FIGURES = DOCS / "figures.json"
SECTION = "performance"
WORKERS = 2
POLL_SECONDS = 0.1
FAILED, BAD_INPUT = 1, 2
COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    TextColumn("{task.fields[stage]} {task.completed}/{task.total}"),
    TimeElapsedColumn(),
)
ATTENTION_EXTRA = 6  # multipliers of a head's attention besides two for every element of the head
OTHER_BLOCKS = ("matvec", "rope", "swiglu", "rmsnorm")  # those that have multipliers outside the lanes and attention


def multipliers(build: BuildConfig) -> tuple[int, int]:
    """(lanes, attention) of one engine."""
    heads = build.attention_units * build.attention_queries
    return build.lanes, heads * (2 * build.max_head_dim + ATTENTION_EXTRA)


def serve(machine: Machine, queue) -> dict[str, dict] | str:
    """In a process of its own: the machine's figures, or a line that says what failed."""
    return attempt(machine, lambda stage, done, total: queue.put((machine.key, stage, done, total)))


def merged(machines: tuple[Machine, ...]) -> list[Machine]:
    """One machine a build: the scenarios of later ones come first, as they do when these run alone."""
    result = {}
    for machine in machines:
        known = result.get(machine.key, replace(machine, scenarios=()))
        result[machine.key] = replace(machine, scenarios=machine.scenarios + known.scenarios)
    return list(result.values())


def run_all(machines: list[Machine], console: Console) -> tuple[Results, list[str]]:
    """The figures of all machines, two at a time, and a line for each machine that failed."""
    for model in sorted({machine.model for machine in machines} & FILES.keys()):
        with console.status(f"quantise {model}"):
            quantised(FILES[model]())
    results, failures, stages, context = {}, [], {}, get_context("spawn")
    with context.Manager() as manager, Progress(*COLUMNS, console=console) as progress:
        queue = manager.Queue()
        tasks = {m.key: progress.add_task(m.title, total=1, stage="waits", start=False) for m in machines}
        with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
            running = {pool.submit(serve, machine, queue): machine for machine in machines}
            while running:
                while not queue.empty():
                    key, stage, done, total = queue.get()
                    if not console.is_terminal and stages.get(key) != stage:
                        console.print(f"{key}: {stage}")
                    stages[key] = stage
                    progress.start_task(tasks[key])
                    progress.update(tasks[key], stage=stage, completed=done, total=total)
                for future in [future for future in running if future.done()]:
                    found, machine = future.result(), running.pop(future)
                    progress.stop_task(tasks[machine.key])
                    if isinstance(found, str):
                        failures.append(found)
                    else:
                        results |= found
                    console.print(f"{machine.title}: {'failed' if isinstance(found, str) else 'done'}")
                time.sleep(POLL_SECONDS)
    return results, failures


def other_multipliers() -> int | None:
    """Multipliers of an engine outside the lanes and attention, as its blocks were routed; None if one has not been."""
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    routed = [figures.get(f"routed/{block}", {}).get("values") for block in OTHER_BLOCKS]
    if None in routed:
        return None
    return sum(values["DSP"] for values in routed) - build_of("default").lanes


def document(full: Results, quick: dict[str, int]) -> dict:
    """The contents of docs/bench.json."""
    shown = [(machine.key, s.key) for machine in FULL for s in machine.scenarios if s not in PICTURED]
    keys = [f"{machine}/{scenario}" for machine, scenario in shown]
    scenarios = {key: {k: v for k, v in full[key].items() if k != "trace"} for key in sorted(keys) if key in full}
    builds = [
        (f"{name}, {lanes} lanes", *multipliers(build_of(name, lanes=lanes)))
        for name, lanes in sorted({(machine.model, machine.lanes) for machine in FULL})
    ]
    return dict(
        measures=[measure.entry(full) for measure in MEASURES],
        scenarios=scenarios,
        multipliers=dict(each=ATTENTION_EXTRA, others=other_multipliers(), builds=builds),
        quick=quick,
    )


def pictures(results: Results) -> dict[Path, bytes]:
    """Files and contents of the pictures."""
    one, five = ({s: f"stories260K/64/{engines}/{s.key}" for s in (TRACED, *PICTURED)} for engines in (1, 5))
    rows, pos = results[one[TRACED]]["trace"], TRACED.trace[0]
    part = gantt.window(rows)
    title = f"stories260K, 64 lanes, one engine: the token at position {pos}, {part.cycles:,} cycles"
    panels = [
        ("stories260K, five engines: the positions of a prompt", results[five[WAVE]]["trace"], False),
        ("five sequences (A to E) decoding side by side", results[five[VOICES]]["trace"], True),
    ]
    return {TOKEN: gantt.units(part, title, "token"), WAVEFRONT: gantt.wavefront(panels, 5)}


def measure_table(entries: list[dict]) -> Table:
    """The limits for the terminal."""
    table = Table("measure", "limit", "value", "met")
    for entry in entries:
        table.add_row(*(entry[name] for name in ("measure", "limit", "shown")), "yes" if entry["met"] else "[red]NO")
    return table


def count_table(found: dict[str, int], stored: dict[str, int]) -> Table:
    """Cycle counts of the quick runs beside the stored ones."""
    table = Table("run", "cycles", "stored", "change")
    for key, cycles in found.items():
        earlier = (f"{stored[key]:,}", f"{cycles / stored[key] - 1:+.1%}") if key in stored else ("", "")
        table.add_row(key, f"{cycles:,}", *earlier)
    return table


def store(bench: dict) -> None:
    """Write docs/bench.json, docs/bench.md and the README's section."""
    write_whole(JSON, [(json.dumps(bench, indent=1) + "\n").encode()])
    write_whole(MARKDOWN, [render(bench).encode()])
    write_whole(README, [insert(README.read_text(), SECTION, summary(bench)).encode()])


def quick(console: Console, keep: bool) -> int:
    """The short runs: compared with what is stored, or stored."""
    bench = json.loads(JSON.read_text()) if JSON.exists() else {}
    stored = bench.get("quick", {})
    results, failures = run_all(list(QUICK), console)
    found = counts(QUICK, results)
    console.print(count_table(found, stored))
    worse, better = ([], []) if keep else compare(found, stored)
    for line in [*failures, *worse]:
        print(f"bench: {line}", file=sys.stderr)
    for line in better:
        print(f"bench: {line}")
    if keep and not failures:
        write_whole(JSON, [(json.dumps(bench | {"quick": found}, indent=1) + "\n").encode()])
    return FAILED if failures or worse else 0


def full(console: Console) -> int:
    """All runs; everything is written unless one failed."""
    results, failures = run_all(merged((*FULL, *QUICK)), console)
    bench = document(results, counts(QUICK, results))
    console.print(measure_table(bench["measures"]))
    for line in failures:
        print(f"bench: {line}", file=sys.stderr)
    if failures:
        return FAILED
    store(bench)
    for path, content in pictures(results).items():
        write_whole(path, [content])
    missed = [entry["measure"] for entry in bench["measures"] if not entry["met"]]
    for measure in missed:
        print(f"bench: limit missed: {measure}", file=sys.stderr)
    return FAILED if missed else 0


def main(argv=None) -> int:
    """Exit status 0; 1 when a run failed, a limit is missed or a count is worse; 2 after one line about bad input."""
    parser = Parser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="short runs, against the stored cycle counts")
    parser.add_argument("--store", action="store_true", help="with --quick: store the cycle counts")
    args = parser.parse_args(argv)
    try:
        if args.store and not args.quick:
            raise ModelError("--store: must be given with --quick; without, everything is stored")
        insert(README.read_text(), SECTION, "")  # refuse before minutes are spent
        if args.quick:
            return quick(Console(), args.store)
        if stories260k() is None:
            raise ModelError(f"needs {MODELS_VARIABLE}, a folder with stories260K.bin (QUICK=1 needs none)")
        return full(Console())
    except (ModelError, ReadmeError, OSError, json.JSONDecodeError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
