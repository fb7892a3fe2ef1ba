"""The last cycles of a counterexample, from the VCD file that smtbmc wrote, as a table."""

import re
from pathlib import Path

from rich.table import Table

CYCLES = 8
_CYCLE = 10  # time units of one, in smtbmc's files
_VARIABLE = re.compile(r"\$var wire \d+ (\S+) (\S+) \$end")
_VALUE = re.compile(r"b([01x]+) (\S+)")


def read(file: Path) -> list[dict[str, str]]:
    """Binary values of the top's signals by name, cycle after cycle."""
    names, depth, now, cycles = {}, 0, {}, []
    for line in file.read_text().splitlines():
        depth += line.startswith("$scope") - line.startswith("$upscope")
        if depth == 1 and (match := _VARIABLE.match(line)):
            names[match[1]] = match[2]
        elif line.startswith("#"):
            if now and len(cycles) * _CYCLE < int(line[1:]):
                cycles.append({names[code]: value for code, value in now.items() if code in names})
        elif match := _VALUE.fullmatch(line):
            now[match[2]] = match[1]
    return cycles


def shown(value: str) -> str:
    """A binary value: hexadecimal when it is known."""
    return value if "x" in value or len(value) == 1 else f"{int(value, 2):x}"


def table(file: Path, cycles: int = CYCLES) -> Table:
    """The last cycles, a column each, of those signals that were not the same in all of them."""
    run = read(file)
    first = max(0, len(run) - cycles)
    result = Table(title=f"the last {len(run) - first} of {len(run)} cycles", title_justify="left")
    result.add_column("signal")
    for number in range(first, len(run)):
        result.add_column(str(number), justify="right")
    for name in sorted(run[-1], key=lambda name: name.startswith("f_")):  # the block's own signals first
        values = [cycle.get(name, "x") for cycle in run[first:]]
        if len(set(values)) > 1:
            result.add_row(name, *map(shown, values))
    return result
