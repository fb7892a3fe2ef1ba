"""What a regression's JUnit XML says: tests, what they compared, the bins that they covered."""

import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
OUTCOMES = {"failure": FAILED, "error": FAILED, "skipped": SKIPPED}
RECORD = "record"  # a property of a test: `tb/records.py`


def block_of(file: str) -> str:
    """As `make sim BLOCK=..` knows the tests of a file."""
    return Path(file).stem.removeprefix("test_")


@dataclass(frozen=True)
class Case:
    """A test of one seed. seed: None of a test that knows none; file: from the project's folder; records: as
    `tb/records.py` writes them."""

    seed: int | None
    file: str
    name: str
    seconds: float
    outcome: str
    message: str
    records: tuple[dict, ...]

    @property
    def block(self) -> str:
        return block_of(self.file)

    @property
    def values(self) -> int:
        """How many values it compared."""
        return sum(record["values"] for record in self.records if record["kind"] == "compared")

    @property
    def replay(self) -> str:
        """The one command that runs it again, with waves."""
        sim = next((sim for sim in ("verilator", "icarus") if sim in self.name), "verilator")
        seed = "" if self.seed is None else f"SEED={self.seed} "
        return f"{seed}make sim BLOCK={self.block} SIM={sim} WAVES=1"


@dataclass(frozen=True)
class Covered:
    """A coverage grid over all runs that filled it: hits by bin, and the hits that each bin owes."""

    file: str
    name: str
    axes: tuple[str, ...]
    goal: int
    counts: Counter

    @property
    def block(self) -> str:
        return block_of(self.file)

    @property
    def holes(self) -> list[str]:
        """Bins below the goal."""
        return [cell for cell, count in self.counts.items() if count < self.goal]


def read(path: Path, seed: int | None) -> list[Case]:
    """The tests of a JUnit XML file."""
    cases = []
    for case in ElementTree.parse(path).iter("testcase"):
        bad = next((child for child in case if child.tag in OUTCOMES), None)
        records = [json.loads(p.get("value")) for p in case.iter("property") if p.get("name") == RECORD]
        cases.append(
            Case(
                seed,
                case.get("classname").replace(".", "/") + ".py",
                case.get("name"),
                float(case.get("time")),
                PASSED if bad is None else OUTCOMES[bad.tag],
                "" if bad is None else (bad.get("message") or "").strip(),
                tuple(records),
            )
        )
    return cases


def covered(cases: list[Case]) -> list[Covered]:
    """The grids, by file and name, each bin with the hits of all tests and seeds."""
    grids = {}
    for case in cases:
        for record in case.records:
            if record["kind"] == "grid":
                key = (case.file, record["name"], tuple(record["axes"]), record["goal"])
                grids.setdefault(key, Counter()).update(record["counts"])
    return [Covered(*key, counts) for key, counts in sorted(grids.items(), key=lambda item: item[0])]
