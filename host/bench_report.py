"""What `make bench` found, as Markdown: made from the contents of docs/bench.json and nothing else."""

from llama2_myhdl.host.figures_report import table
from llama2_myhdl.spec.causes import CAUSES

CONTEXT = (  # published figures of other designs, from their own pages
    ("llama2.clash, stories260K, 64 lanes", "112,370", "3.6%"),
    ("llama2.v, stories260K (fp32), 1 lane", "1,087,255", "23.9%"),
    ("llama2.hls, stories15M, 64 lanes", "", "17.9%"),
)


def measures(bench: dict) -> list[str]:
    """The table of limits."""
    rows = [(m["measure"], m["limit"], m["shown"], "yes" if m["met"] else "NO") for m in bench["measures"]]
    return [
        "**Limits.** Clock cycles of the simulated decoder, every token equal to the integer model's. Positions are "
        "decoded freely from the token that begins a text; a prompt has 64 tokens, and its rate is taken once all "
        "engines work.",
        "",
        *table(("measure", "limit", "value", "met"), rows),
    ]


def speed(bench: dict) -> list[str]:
    """Cycles a token of every scenario beside the floor, and other designs."""
    rows = []
    for entry in bench["scenarios"].values():
        figures = (f"{entry['per_token']:,.0f}", f"{entry['floor']:,.0f}", f"{entry['per_token'] / entry['floor']:.2f}")
        rows.append((f"{entry['machine']}: {entry['scenario']}", *figures, f"{entry['utilisation']:.1%}"))
    rows += [(label, cycles, "", "", busy) for label, cycles, busy in CONTEXT]
    return [
        "**Speed.** E is the number of layer engines. The floor is one weight beat a cycle and nothing else: of all "
        "stations one after the other for one story, of the busiest station where tokens follow each other. MACs used: "
        "the model's multiply-accumulates over what all lanes of all stations could have done. The last rows are the "
        "published figures of other designs.",
        "",
        *table(("design and run", "cycles a token", "floor", "ratio", "MACs used"), rows),
    ]


def stalls(bench: dict, engines: int | None = None) -> list[str]:
    """Share of the cycles by cause, of every station; only of builds with `engines` engines if given."""
    rows = []
    for entry in bench["scenarios"].values():
        if engines not in (None, entry["engines"]):
            continue
        for number, shares in enumerate(entry["stalls"]):
            station = f"engine {number}" if number < entry["engines"] else "head"
            label = f"{entry['machine']}: {entry['scenario']}, {station}"
            rows.append((label, *(f"{shares[cause]:.1%}" for cause in CAUSES)))
    return [
        "**Where the cycles go**, from the hardware's counters: in each cycle a station takes a beat of weights or of "
        "exponents and gains (headers), or waits for an activation vector, for attention, for the tape or for room "
        "behind it, or has nothing to do.",
        "",
        *table(("run, station", *CAUSES), rows),
    ]


def multipliers(bench: dict) -> list[str]:
    """The formula of the multiplier count, and what it gives."""
    entry = bench["multipliers"]
    rest = "others" if entry["others"] is None else str(entry["others"])
    rows = [(name, str(lanes), str(attention), rest) for name, lanes, attention in entry["builds"]]
    return [
        f"**Multipliers** of an engine: LANES + units x queries x (2 x head size + {entry['each']}) + {rest}, where "
        "units x queries heads of attention run side by side.",
        "",
        *table(("build", "lanes", "attention", "others"), rows),
    ]


def render(bench: dict) -> str:
    """All of it: docs/bench.md."""
    parts = (measures, speed, stalls, multipliers)
    lines = ["# Performance", "", "Written by `make bench`.", "", *(line for part in parts for line in part(bench))]
    return "\n".join(lines).rstrip() + "\n"


def summary(bench: dict) -> str:
    """The README's section."""
    return "\n".join([*measures(bench), *speed(bench), *stalls(bench, engines=1), *multipliers(bench)])
