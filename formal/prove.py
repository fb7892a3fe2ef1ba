"""`make formal`: the proofs, or those of one block, and a table of what they have come to.

All files land in sim_build/formal/NAME. Exit status 1 when a property fails: its text is printed, the last cycles of a
run that shows it, and the file with the whole run; 2 after one line about bad input. With --store, docs/proofs.json
keeps what all proofs have come to, when none has failed.
"""

import json
import sys

from rich.console import Console
from rich.table import Table

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.base.options import Parser
from llama2_myhdl.base.stages import stages
from llama2_myhdl.formal import waves
from llama2_myhdl.formal.proof import Proof, Result, prove
from llama2_myhdl.formal.proofs import PROOFS
from llama2_myhdl.formal.solver import INDUCTION
from llama2_myhdl.host import plan

FAILED, BAD_INPUT = 1, 2
PROVED, HOLDS = "proved", "holds"
JSON = PROJECT / "docs" / "proofs.json"
COLUMNS = 120


def chosen(block: str | None, proofs: list[Proof] = PROOFS) -> list[Proof]:
    """All proofs, or that of a name, or those of a block, whose names begin with it; ValueError when there is none."""
    found = [proof for proof in proofs if block is None or block in (proof.name, proof.top)]
    if not found:
        known = dict.fromkeys(name for proof in proofs for name in (proof.top, proof.name))
        raise ValueError(f"no proof of BLOCK {block!r}; known: {', '.join(sorted(known))}")
    return found


def outcome(result: Result) -> str:
    """proved: for runs of any length; holds: for those of the proof's depth."""
    if result.failure:
        return f"FAILED: {result.failure.question}"
    return PROVED if result.proof.induction else HOLDS


def store(results: list[Result]) -> None:
    """Write docs/proofs.json: a line for each proof."""
    entries = []
    for result in results:
        proof = result.proof
        properties = list(proof.sets[proof.top])
        how = dict(mode=proof.mode, cycles=proof.depth, result=outcome(result))
        entries.append(dict(name=proof.name, block=proof.top, properties=properties) | how)
    lines = ",\n".join(f" {json.dumps(entry)}" for entry in entries)
    write_whole(JSON, [f"[\n{lines}\n]\n".encode()])


def table(results: list[Result]) -> Table:
    """A row for each proof."""
    shown = Table()
    for name in ("proof", "properties", "mode", "cycles", "result", "seconds"):
        shown.add_column(name, justify="right" if name in ("cycles", "seconds") else "left")
    for result in results:
        proof = result.proof
        sets = ", ".join(proof.sets[proof.top])
        shown.add_row(proof.name, sets, proof.mode, str(proof.depth), outcome(result), f"{result.seconds:.1f}")
    return shown


def explain(result: Result, console: Console) -> None:
    """What failed, the last cycles of a run that shows it, and where all of it is."""
    answer = result.failure
    console.print(f"{result.proof.name}: the {answer.question} fails", markup=False)
    for place in answer.blamed:
        console.print(f"  {place}", markup=False, soft_wrap=True)
    if answer.waves:
        if answer.question == INDUCTION:
            console.print("  from a state that need not be reachable: an invariant may be missing")
        console.print(waves.table(answer.waves))
        console.print(f"waves: {answer.waves}", markup=False, soft_wrap=True)


def main(argv=None) -> int:
    parser = Parser(prog="formal", description=__doc__.splitlines()[0])
    parser.add_argument("block", nargs="?", help="a block or the name of a proof; all without it")
    parser.add_argument("--store", action="store_true", help="keep what all proofs have come to in docs/proofs.json")
    options = parser.parse_args(argv)
    if options.store and options.block:
        parser.error("STORE: is of all proofs, not of one BLOCK")
    console = Console()
    console = console if console.is_terminal else Console(width=COLUMNS)
    try:
        proofs, results = chosen(options.block), []
        with stages(Console(stderr=True), "proofs") as say:
            for number, proof in enumerate(proofs):
                say(f"prove {proof.name}", number, len(proofs))
                results.append(prove(proof))
        failures = [result for result in results if not result.passed]
        if options.store and not failures:
            store(results)
            plan.write()
    except (ValueError, OSError) as error:  # of tools and files, each one line
        print(f"formal: {error}", file=sys.stderr)
        return BAD_INPUT
    console.print(table(results))
    for result in failures:
        explain(result, console)
    print(f"{len(results)} proofs, {len(failures)} failed")
    return FAILED if failures else 0


if __name__ == "__main__":
    sys.exit(main())
