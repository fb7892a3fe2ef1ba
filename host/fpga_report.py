"""docs/fpga.md: made from the contents of docs/fpga.json and nothing else."""

from llama2_myhdl.host.drawing import canvas, svg
from llama2_myhdl.host.figures_report import DAGGER, table
from llama2_myhdl.host.fpga_points import BASE, CONTEXTS, ENGINES, LANES, Point
from llama2_myhdl.syn.pnr import TARGET
from llama2_myhdl.syn.resources import number, used
from llama2_myhdl.syn.targets import BLOCK_RAM, DSP, FF, LUT, TARGETS, ULTRA_RAM, Target

PICTURE = "fpga.svg"
# llama2.c itself with stories260K on one core of another machine: tokens a CPU second
LLAMA2_C = (("-O3", "2,150"), ("-Ofast", "4,600 to 5,100"))
COLUMNS = (LUT, FF, BLOCK_RAM, ULTRA_RAM, DSP)
CURVES = (("lanes", LANES), ("context", CONTEXTS), ("engines", ENGINES))
INK, AREA = "#2563eb", "#94a3b8"

ABOUT = f"""# The whole machine on an FPGA

Written by `make fpga` from [fpga.json](fpga.json): the whole decoder of a configuration, from Verilog to a device.

* **Area** is Yosys' mapping of the flattened design, inside a wrapper that registers all its ports; the wrapper's own
  cells are not counted. LUTs are the places that are taken: on an ECP5 a carry cell takes two and a 16 x 4 LUT RAM six.
* **LUT levels** are those of the longest way between two registers, with the cells of carry chains counted apart.
* **MHz** is what nextpnr reports for the placed and routed design (ECP5-85F, speed grade 6), the best of the seeds that
  were tried, and the slowest of so many. nextpnr knows no UltraScale+, so there the LUT levels must do.
* **Cycles** a token are simulated, over the positions 0 to 31 of a story told freely, every token equal to the integer
  model's. The weights are random; cycles do not depend on them. **Tokens a second** are MHz over cycles.

llama2.c with stories260K on one core of a CPU: {' and '.join(f'{rate} tokens a CPU second at {flag}' for flag, rate
in LLAMA2_C)}. These two were measured elsewhere, not by this project's commands.
"""
CURVE = (
    "## Throughput and area",
    "",
    f"![Tokens a second and LUTs over lanes, context and engines]({PICTURE})",
    "",
    f"Configuration {BASE} with one thing changed at a time. Where a design has not been routed, its tokens a second "
    f"are drawn hollow, at the clock of {BASE} itself. The rate is that of one story: it has one token on its way, so "
    "more engines are for prompts and for several stories side by side ([bench.md](bench.md)).",
    "",
)
OTHERS = """## Another board

1. A device that Yosys maps to: add a line to the `parts` of its target in `syn/targets.py`, from the data sheet; `make
   synth CONFIG=.. TARGET=..` then says how full it would be. A new family is a new `Target` there: Yosys' command, its
   labels around the mapping of memories, and which column each cell counts in.
2. A configuration that fits: `spec/presets.py`. Block RAM goes to the weights (`lanes` set the shape of a word, not
   the number of bits) and to the caches of keys and values (`context`); LUTs and multipliers go to `lanes`,
   `attention_units` and `attention_queries`; `max_quant_lanes` trades LUTs of the quantiser for cycles.
3. A route: `make pnr CONFIG=.. SEED=..` for an ECP5; for other families take the Verilog of `make convert CONFIG=..` to
   the vendor's tool. Memories carry `ram_style`.
4. A row in this table: a `Point` in `host/fpga_points.py`, then `make fpga ONLY=..`.
"""


def sites(entry: dict, target: Target) -> dict[str, float]:
    """The counts of a point, LUT as the places that are taken."""
    return entry["resources"] | {LUT: target.lut_sites(entry["resources"])}


def rate(entry: dict) -> float | None:
    """Tokens a second; None where speed or cycles are not known."""
    if entry.get("fmax_mhz") and entry.get("cycles"):
        return entry["fmax_mhz"] * 1e6 / entry["cycles"]
    return None


def row(key: str, entry: dict) -> tuple[str, ...]:
    """A line of the table."""
    target = TARGETS[key.rpartition("/")[2]]
    counts = sites(entry, target)
    mark = f" {DAGGER}" if entry.get("fmax_verilog", entry["verilog"]) != entry["verilog"] else ""
    fmax = f"{entry['fmax_mhz']:.1f}{mark}" if "fmax_mhz" in entry else ""
    slowest = f"{entry['slowest_mhz']:.1f} of {entry['seeds']}" if "seeds" in entry else ""
    clock = f"{entry['cycles']:,.0f}" if "cycles" in entry else ""
    tokens = f"{rate(entry):,.0f}{mark}" if rate(entry) else ""
    levels = f"{entry['levels']} + {entry['carries']}"
    counted = (number(counts.get(c, 0)) for c in COLUMNS)
    return (entry["title"], target.title, *counted, levels, fmax, slowest, clock, tokens)


def parts(entries: dict[str, dict]) -> list[str]:
    """How full each part would be."""
    lines = ["## Utilisation", ""]
    for target in TARGETS.values():
        heads = ("configuration", *target.parts)
        rows = []
        for key, entry in entries.items():
            if key.endswith(f"/{target.name}"):
                fullest = []
                for part in target.parts:
                    shares = used(entry["resources"], target, part)
                    column = max(shares, key=shares.get)
                    fullest.append(f"{shares[column]:.0%} {column}" + ("" if shares[column] <= 1 else " (too large)"))
                rows.append((entry["title"], *fullest))
        if rows:
            lines += [f"{target.title}: the resource that a part has least room for.", "", *table(heads, rows)]
    return lines


def commands(entries: dict[str, dict]) -> list[str]:
    """How each row is made again."""
    rows = []
    for key, entry in entries.items():
        target = key.rpartition("/")[2]
        target_mhz = entry.get("target_mhz", TARGET)
        freq = "" if target_mhz == TARGET else f" FREQ={target_mhz:g}"
        routing = f"`make pnr {entry['arguments']} SEED={entry['seed']}{freq}`" if "seed" in entry else ""
        rows.append((entry["title"], f"`make synth TARGET={target} {entry['arguments']}`", routing,
                     f"`make fpga ONLY={key}`"))  # fmt: skip
    heads = ("configuration", "area and levels", "MHz", "the row, with its cycles")
    return ["## How to make a row again", "", *table(heads, rows)]


def render(entries: dict[str, dict]) -> str:
    """The whole page."""
    speeds = ("LUT levels + carry", "MHz", "slowest seed", "cycles a token", "tokens a second")
    heads = ("configuration", "target", *COLUMNS, *speeds)
    lines = [ABOUT, "## Configurations", "", *table(heads, [row(key, entry) for key, entry in entries.items()])]
    if any(DAGGER in cell for key, entry in entries.items() for cell in row(key, entry)):
        lines += [f"{DAGGER} routed with earlier Verilog.", ""]
    return "\n".join([*lines, *CURVE, *parts(entries), *commands(entries), OTHERS])


def curve(entries: dict[str, dict], name: str, values: tuple[int, ...]) -> list[tuple[int, dict]]:
    """The measured points of BASE with one thing changed: (value, entry)."""
    keys = [(value, Point(BASE, **{name: value})) for value in values]
    changed = [(value, entries.get(point.key) or _same(entries, name, value)) for value, point in keys]
    return [(value, entry) for value, entry in changed if entry]


def _same(entries: dict[str, dict], name: str, value: int) -> dict | None:
    """BASE itself, where it has that value."""
    base = Point(BASE)
    return entries.get(base.key) if Point(BASE, **{name: value}).build == base.build else None


def picture(entries: dict[str, dict]) -> bytes:
    """Tokens a second and LUTs over lanes, context and engines."""
    figure, (row_of_axes,) = canvas(1, 3.6, len(CURVES))
    base = entries.get(Point(BASE).key, {})
    for axes, (name, values) in zip(row_of_axes, CURVES):
        points = curve(entries, name, values)
        places = [str(value) for value, _ in points]
        area = axes.twinx()
        area.bar(places, [sites(entry, TARGETS["ecp5"])[LUT] for _, entry in points], width=0.5, color=AREA, alpha=0.5)
        area.set_ylabel("places of LUTs")
        for place, (_, entry) in zip(places, points):
            clock = entry.get("fmax_mhz", base.get("fmax_mhz"))
            if clock and "cycles" in entry:
                face = INK if "fmax_mhz" in entry else "white"
                axes.plot([place], [clock * 1e6 / entry["cycles"]], "o", color=INK, markerfacecolor=face)
        axes.set_zorder(area.get_zorder() + 1)
        axes.patch.set_visible(False)
        axes.margins(y=0.1)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(name)
        axes.set_ylabel("tokens a second")
    return svg(figure)
