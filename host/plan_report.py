"""The verification plan as Markdown: tables made from what runs have stored, the folders of rtl/, and nothing else."""

from collections import Counter, defaultdict

from llama2_myhdl.coverage.report import HEADS as KINDS
from llama2_myhdl.coverage.report import added, percent, share
from llama2_myhdl.host.figures_report import table

SHARES = tuple(f"{name} %" for name in KINDS.values())
HEADS = ("unit", "blocks", "tests", "values", "bins", *SHARES, "mutants killed", "proofs")
COMMANDS = {
    "regress": "make regress STORE=1", "coverage": "make coverage", "mutants": "make mutants",
    "proofs": "make formal STORE=1",
}  # fmt: skip
NOTHING = "No run is stored yet: `make regress STORE=1`.\n"
TOP, WHOLE, BESIDE = "top", "decoder", "hdl"  # the unit of rtl/decoder.py, its folder of tb/; where other blocks are
SHOWN = 5  # bins of an axis that are named
KILLED, NOT_KILLED = ("killed", "hung"), ("survived",)  # verdicts on a mutant; of others a test can see nothing

Stored = dict[str, dict | list]  # what is stored, by kind of run


def unit_of(file: str) -> str:
    """The folder of tb/ that a test is in."""
    return file.split("/")[1]


def _of_tests(regress: dict) -> dict[str, tuple[str, str, str]]:
    """By unit: tests, values compared, bins that were reached."""
    sums: dict[str, Counter] = defaultdict(Counter)
    for test in regress.get("tests", ()):
        sums[unit_of(test["file"])].update({key: test[key] for key in ("passed", "skipped", "values")})
    for grid in regress.get("grids", ()):
        sums[unit_of(grid["file"])].update({key: grid[key] for key in ("bins", "reached")})
    found = {}
    for unit, sum_ in sums.items():
        skipped = f" + {sum_['skipped']} skipped" if sum_["skipped"] else ""
        bins = f"{sum_['reached']:,} of {sum_['bins']:,}" if sum_["bins"] else ""
        found[unit] = f"{sum_['passed']:,}{skipped}", f"{sum_['values']:,}" if sum_["values"] else "", bins
    return found


def _of_coverage(blocks: dict, units: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """By unit: percent of each kind."""
    rows = defaultdict(list)
    for block, row in blocks.items():
        rows[units.get(block, BESIDE)].append(row)
    sums = {unit: added(of_unit) for unit, of_unit in rows.items()}
    return {
        unit: tuple(percent(share(sum_[kind])) if sum_[kind][0] else "" for kind in KINDS)
        for unit, sum_ in sums.items()
    }


def _of_mutants(mutants: list[dict]) -> dict[str, tuple[str]]:
    """By unit: killed ones of those that could be."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for mutant in mutants:
        counts[mutant["unit"]][mutant["verdict"]] += 1
    found = {}
    for unit, count in counts.items():
        killed, left = (sum(count[verdict] for verdict in verdicts) for verdicts in (KILLED, NOT_KILLED))
        found[unit] = (f"{killed:,} of {killed + left:,}",)
    return found


def _of_proofs(proofs: list[dict], units: dict[str, str]) -> dict[str, tuple[str]]:
    """By unit: those for runs of any length, and those to a depth."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for proof in proofs:
        counts[units.get(proof["block"], BESIDE)][proof["result"]] += 1
    return {unit: (", ".join(f"{n} {result}" for result, n in sorted(count.items(), reverse=True)),)
            for unit, count in counts.items()}  # fmt: skip


def _plan(stored: Stored, units: dict[str, str], files: list[str]) -> str:
    """The units of rtl/ first, then what else has tests."""
    regress, mutants = stored["regress"], stored["mutants"].get("mutants", [])
    tests = _of_tests(regress)
    parts = [  # and how many columns each has
        (_of_coverage(stored["coverage"], units), len(KINDS)), (_of_mutants(mutants), 1),
        (_of_proofs(stored["proofs"], units), 1),
    ]  # fmt: skip
    first = [*sorted(set(units.values()) - {TOP}), TOP]
    others = sorted({*tests, *(unit for part, _ in parts for unit in part)} - {*first, WHOLE})
    blocks, rows = Counter(units.values()), []
    for unit in [*first, *others]:
        name = WHOLE if unit == TOP else unit
        cells = (f"{blocks[unit] or ''}", *tests.get(name, ("",) * 3))
        for part, columns in parts:
            cells += part.get(unit, ("",) * columns)
        rows.append((name, *cells))
    return "\n".join([*table(HEADS, rows), *_notes(stored, files)])


def _notes(stored: Stored, files: list[str]) -> list[str]:
    """Of which run the tests are, what is newer than it, and what no run is stored of."""
    notes = []
    if regress := stored["regress"]:
        first, last = regress["seeds"]
        run = f"Randomised tests ran with seeds {first} to {last}, the others once"
        notes.append(f"{run}; values and bins are of all seeds.")
        known = {test["file"] for test in regress["tests"]}
        for words, names in (("Newer than this run", set(files) - known), ("Gone since", known - set(files))):
            if names:
                notes.append(f"{words}: {', '.join(f'`{name}`' for name in sorted(names))}.")
    if missing := [f"{name} (`{COMMANDS[name]}`)" for name, contents in stored.items() if not contents]:
        notes.append(f"No run is stored of: {', '.join(missing)}.")
    return [*notes, ""]


def _compared(regress: dict) -> str:
    """What each scoreboard has compared with the first seed, runs with equal numbers in one row."""
    if not regress:
        return NOTHING
    rows: dict[tuple, list[str]] = {}
    for entry in regress["compared"]:
        values = ", ".join(f"{where} {count:,}" for where, count in entry["values"].items())
        rows.setdefault((entry["file"], entry["test"], values), []).append(entry["name"])
    cells = [
        (f"`{file.removeprefix('tb/')}`", test and f"`{test}`", ", ".join(f"`{name}`" for name in names), values)
        for (file, test, values), names in rows.items()
    ]
    return "\n".join(table(("file", "test", "runs", f"values with seed {regress['seeds'][0]}"), cells, left=4))


def _axis(name: str, bins: list[str]) -> str:
    return f"{name} ({', '.join(bins) if len(bins) <= SHOWN else len(bins)})"


def _grids(regress: dict) -> str:
    """The coverage grids, with their axes."""
    if not regress:
        return NOTHING
    rows = []
    for grid in regress["grids"]:
        axes = " x ".join(_axis(name, bins) for name, bins in grid["axes"].items())
        counts = (f"{grid['reached']:,} of {grid['bins']:,}", f"{grid['goal']}", f"{grid['least']:,}")
        rows.append((f"`{grid['file'].removeprefix('tb/')}`", grid["name"], axes, *counts))
    return "\n".join(table(("file", "grid", "axes", "bins", "goal", "least hit"), rows, left=3))


def sections(stored: Stored, units: dict[str, str], files: list[str]) -> dict[str, str]:
    """The text of each section. units: folder of rtl/ by block; files: the tests that there are now."""
    regress = stored["regress"]
    return dict(plan=_plan(stored, units, files), compared=_compared(regress), grids=_grids(regress))
