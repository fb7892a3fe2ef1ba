"""What other runs have found, for the regression's page: structural coverage, mutants, proofs."""

from dataclasses import dataclass, field
from pathlib import Path

from llama2_myhdl.coverage import report as of_coverage
from llama2_myhdl.host import coverage, plan
from llama2_myhdl.mutation import report as of_mutants
from llama2_myhdl.mutation.trial import SURVIVED


@dataclass(frozen=True)
class Findings:
    """Of each kind nothing where no run is stored.

    coverage: rows by block, that of all last; low: a line for each block below a bar; holes: lines by block, of the
    last run on this machine; mutants: rows by unit, that of all last; survivors: each with its line without and with
    the fault; proofs: as stored.
    """

    coverage: list[tuple[str, ...]] = field(default_factory=list)
    low: list[str] = field(default_factory=list)
    holes: dict[str, list[str]] = field(default_factory=dict)
    mutants: list[tuple[str, ...]] = field(default_factory=list)
    survivors: list[str] = field(default_factory=list)
    proofs: list[dict] = field(default_factory=list)
    heads = dict(coverage=of_coverage.TITLES, mutants=of_mutants.HEADS)


def found(stored: plan.Stored, holes: Path) -> Findings:
    """From the contents of the stored files and the list of holes, a file that need not be there."""
    blocks, mutants = stored["coverage"], stored["mutants"]
    return Findings(
        coverage=of_coverage.rows(blocks) if blocks else [],
        low=of_coverage.below(blocks),
        holes=of_coverage.by_block(holes.read_text().splitlines()) if holes.exists() else {},
        mutants=of_mutants.rows(mutants["mutants"]) if mutants else [],
        survivors=[of_mutants.diff(entry) for entry in mutants.get("mutants", ()) if entry["verdict"] == SURVIVED],
        proofs=stored["proofs"],
    )


def load() -> Findings:
    """Of the last runs."""
    return found(plan.load(), coverage.HOLES)
