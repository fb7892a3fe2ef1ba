"""A picture of a placement: each tile of the device in the colour of the unit that has most cells in it."""

import re
from collections import Counter
from collections.abc import Callable
from html import escape

from llama2_myhdl.syn.nextpnr import Routed

SCALE = 7  # units of the picture to a tile
LEGEND = 200  # width of the names beside it
ROW = 18  # height of one of them
FREE, EDGE, OTHER = "#f2f2f2", "#888888", "#bbbbbb"
COLOURS = (
    "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#e69f00", "#332288", "#882255", "#117733",
    "#999933", "#ddcc77", "#88ccee",
)  # fmt: skip
BLOCKS = {"DP16KD": "block RAM", "MULT18X18D": "multiplier"}  # wider than a tile
WIDE = 2


def unit(instance: str) -> str:
    """The unit that an instance is part of: an engine's own parts one by one, everything else at the top level."""
    parts = instance.split(".")
    deep = parts[0].startswith(("u_engine", "u_head")) and len(parts) > 1
    name = parts[1] if deep else parts[0]
    return re.sub(r"^u_|_\d+$", "", name) or "the design"


def tiles(routed: Routed, unit_of: Callable[[str], str | None]) -> dict[tuple[int, int], Counter]:
    """Cells of each unit at each place; `unit_of` gives a placed cell's unit, None for one that is not shown."""
    found: dict[tuple[int, int], Counter] = {}
    for cell, (_, x, y) in routed.places.items():
        if name := unit_of(cell):
            found.setdefault((x, y), Counter())[name] += 1
    return found


def picture(routed: Routed, unit_of: Callable[[str], str | None], title: str) -> str:
    """The SVG: units by the number of their cells, the largest get the colours."""
    where = tiles(routed, unit_of)
    sizes = Counter()
    for counts in where.values():
        sizes.update(counts)
    order = [name for name, _ in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))]
    colours = dict(zip(order, COLOURS)) | {name: OTHER for name in order[len(COLOURS) :]}
    columns = max((x for _, x, _ in routed.places.values()), default=0) + WIDE
    rows = max((y for _, _, y in routed.places.values()), default=0) + 1
    hard = {(x, y): kind for kind, x, y in routed.places.values() if kind in BLOCKS}
    width, height = columns * SCALE, max(rows * SCALE, ROW * (len(order) + 1))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + LEGEND} {height + 2 * ROW}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width + LEGEND}" height="{height + 2 * ROW}" fill="white"/>',
        f'<text x="4" y="{ROW - 4}" font-size="14">{escape(title)}</text>',
        f'<rect y="{ROW}" width="{width}" height="{rows * SCALE}" fill="{FREE}" stroke="{EDGE}"/>',
    ]
    for (x, y), counts in sorted(where.items(), key=lambda item: (item[0] in hard, item[0])):
        name = max(sorted(counts), key=counts.get)
        size = f'width="{WIDE * SCALE - 1}" stroke="black"' if (x, y) in hard else f'width="{SCALE - 1}"'
        place = f'x="{x * SCALE}" y="{ROW + y * SCALE}" {size} height="{SCALE - 1}"'
        lines.append(f'<rect {place} fill="{colours[name]}"/>')
    for number, name in enumerate(order):
        y = ROW + 4 + number * ROW
        lines.append(f'<rect x="{width + 8}" y="{y}" width="12" height="12" fill="{colours[name]}"/>')
        lines.append(f'<text x="{width + 26}" y="{y + 11}">{escape(name)}: {sizes[name]:,} cells</text>')
    note = "framed: " + " or ".join(BLOCKS.values())
    lines.append(f'<text x="4" y="{ROW + height + ROW - 6}" fill="{EDGE}">{note}</text>')
    return "\n".join([*lines, "</svg>", ""])
