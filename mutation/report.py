"""What was found, as JSON and as text: docs/mutants.json, the table in docs/verification.md, the list of survivors."""

from collections import Counter
from dataclasses import asdict

from llama2_myhdl.host.figures_report import table
from llama2_myhdl.mutation.judge import EQUIVALENT, Verdict
from llama2_myhdl.mutation.sample import Mutant
from llama2_myhdl.mutation.trial import HUNG, KILLED, REFUSED, SURVIVED

HEADS = ("unit", "modules", "planted", "killed", "of these hung", "equivalent", "survived", "score")
SECTION = "mutants"


def entries(found: list[tuple[Mutant, Verdict]], units: dict[str, str]) -> list[dict]:
    """One entry a mutant, by unit and block."""
    made = [
        dict(unit=units[m.block], block=m.block, **asdict(m.place), verdict=v.verdict, test=v.test) for m, v in found
    ]
    return sorted(made, key=lambda entry: (entry["unit"], entry["block"]))


def key(entry: dict) -> tuple:
    """What stands for a mutant in two reports."""
    return tuple(entry[name] for name in ("block", "kind", "line", "which", "column", "was", "now"))


def lost(earlier: dict, now: dict) -> list[dict]:
    """Mutants that survive now, and did not earlier."""
    survived = {key(entry) for entry in earlier["mutants"] if entry["verdict"] == SURVIVED}
    known = {key(entry) for entry in earlier["mutants"]} - survived
    return [entry for entry in now["mutants"] if entry["verdict"] == SURVIVED and key(entry) in known]


def score(counts: Counter) -> str:
    """Killed ones as a share of those that could be: neither proved equivalent nor refused by the simulator."""
    killed = counts[KILLED] + counts[HUNG]
    possible = killed + counts[SURVIVED]
    return f"{killed / possible:.1%}" if possible else "-"


def _row(label: str, of_unit: list[dict]) -> tuple[str, ...]:
    counts = Counter(entry["verdict"] for entry in of_unit)
    blocks = len({entry["block"] for entry in of_unit})
    killed = counts[KILLED] + counts[HUNG]
    planted = len(of_unit) - counts[REFUSED]
    numbers = (blocks, planted, killed, counts[HUNG], counts[EQUIVALENT], counts[SURVIVED])
    return (label, *(f"{number:,}" for number in numbers), score(counts))


def rows(mutants: list[dict]) -> list[tuple[str, ...]]:
    """A row for each unit, and one for all."""
    units = sorted({entry["unit"] for entry in mutants})
    of_units = [_row(unit, [entry for entry in mutants if entry["unit"] == unit]) for unit in units]
    return [*of_units, _row("all", mutants)]


def render(stored: dict) -> str:
    """The table of the units, from the contents of docs/mutants.json."""
    mutants = stored["mutants"]
    refused = sum(entry["verdict"] == REFUSED for entry in mutants)
    planted = f"{len(mutants)} of the sample's {stored['planned']} were planted, {refused} did not compile"
    note = f"Seed {stored['seed']}; {planted}."
    return "\n".join([*table(HEADS, rows(mutants)), note, ""])


def diff(entry: dict) -> str:
    """A mutant for people: its line without and with the fault."""
    line, start = entry["line"], entry["column"]
    was, now = entry["was"], entry["now"]
    again = f", number {entry['which'] + 1} of these lines" if entry["which"] else ""
    head = f"{entry['unit']}/{entry['block']}, {entry['kind']}{again}"
    return "\n".join([head, f"  - {line}", f"  + {line[:start]}{now}{line[start + len(was) :]}"])
