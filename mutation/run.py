"""`make mutants`: plant faults in the converted Verilog, one at a time, and see whether the tests find them.

Without `--block` what is found is stored in docs/mutants.json, with its table in docs/verification.md. A run that was
interrupted, or stopped after `--minutes`, goes on where it was. Exit status 1 when a mutant survives that did not when
the stored figures were taken, 2 after one line about bad input.
"""

import json
import math
import sys
import time

from rich.console import Console

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.base.options import Parser
from llama2_myhdl.base.stages import stages
from llama2_myhdl.hdl.progress import Progress
from llama2_myhdl.host import plan
from llama2_myhdl.host.readme import ReadmeError, insert
from llama2_myhdl.host.units import units
from llama2_myhdl.mutation import covers, report
from llama2_myhdl.mutation.judge import Judge, Verdict
from llama2_myhdl.mutation.sample import Mutant, sample
from llama2_myhdl.mutation.trial import SURVIVED, TrialError

COUNT, SEED = 400, 1
JSON, DOCUMENT = PROJECT / "docs" / "mutants.json", PROJECT / "docs" / "verification.md"


def blocks_of(tests: list[covers.KnownTest], wanted: str | None) -> list[str]:
    """Blocks of rtl/ that tests simulate; RecordError when the one that is wanted is none of them."""
    known = units().keys() & {module.block for test in tests for module in test.modules}
    if wanted and wanted not in known:
        raise covers.RecordError(f"unknown BLOCK {wanted!r}; known: {', '.join(sorted(known))}")
    return [wanted] if wanted else sorted(known)


def judge_all(judge: Judge, mutants: list[Mutant], minutes: float, say: Progress) -> list[tuple[Mutant, Verdict]]:
    """The verdict on each, or on as many as there is time for: first those that cost least."""
    found, end = [], time.monotonic() + 60 * minutes
    for count, mutant in enumerate(sorted(mutants, key=judge.cost)):
        say("mutants", count, len(mutants))
        if time.monotonic() >= end:
            return found
        found.append((mutant, judge.verdict(mutant)[0]))
    say("mutants", len(mutants), len(mutants))
    return found


def main(argv=None) -> int:
    """Exit status 0, 1 or 2, as above."""
    parser = Parser(prog="mutants", description=__doc__.splitlines()[0])
    parser.add_argument("--block", help="of this block only; nothing is stored")
    parser.add_argument("--count", type=int, default=COUNT, help=f"about so many faults in all ({COUNT})")
    parser.add_argument("--minutes", type=float, default=math.inf, help="to stop after; what is done is stored")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the sample ({SEED})")
    args = parser.parse_args(argv)
    if args.count < 1:
        parser.error(f"COUNT: must be 1 or more, is {args.count}")
    if not args.minutes > 0:
        parser.error(f"MINUTES: must be more than 0, is {args.minutes}")
    try:
        with stages(Console(stderr=True), "") as say:
            covers.refresh(say)
            tests = covers.read_record()
            mutants = sample(tests, blocks_of(tests, args.block), args.count, args.seed)
            found = judge_all(Judge(tests, covers.ROOT), mutants, args.minutes, say)
        earlier = json.loads(JSON.read_text()) if JSON.exists() else dict(mutants=[])
        entries = report.entries(found, units())
        stored = dict(seed=args.seed, planned=len(mutants), mutants=entries)
        if not args.block:
            write_whole(JSON, [(json.dumps(stored, indent=1) + "\n").encode()])
            write_whole(DOCUMENT, [insert(DOCUMENT.read_text(), report.SECTION, report.render(stored)).encode()])
            plan.write()
    except (covers.RecordError, TrialError, ReadmeError, OSError) as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 2
    left_out = sorted(units().keys() - {module.block for test in tests for module in test.modules})
    if left_out and not args.block:
        print(f"mutants: none is planted in {', '.join(left_out)}: no test simulates it in Icarus", file=sys.stderr)
    survivors = [entry for entry in stored["mutants"] if entry["verdict"] == SURVIVED]
    print("\n".join([report.render(stored), *(report.diff(entry) for entry in survivors)]))
    lost = report.lost(earlier, stored)
    for entry in lost:
        print(f"mutants: survives now, and did not: {report.diff(entry)}", file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
