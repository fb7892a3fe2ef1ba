"""docs/performance.md: the model against the simulation, and models on boards."""

import json

from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.hdl.progress import Progress
from llama2_myhdl.host.figures_report import DAGGER, table
from llama2_myhdl.host.performance.boards import BOARDS, CLOCK, MODELS
from llama2_myhdl.host.performance.estimate import Estimate, estimate
from llama2_myhdl.host.performance.peers import PEERS
from llama2_myhdl.host.performance.points import TOLERANCE, Point, apart

PICTURE = "performance.svg"
EARLY, LATE = 127, 2047  # positions of the tokens in the table; the last one of a shorter context
BAR_MODEL, BAR_BOARD, BAR, BAR_PEER = "SmolLM2-135M", "KV260", 60.0, 27.0
ROUTED, SYNTH = PROJECT / "docs" / "figures.json", PROJECT / "docs" / "synth.json"
XILINX = "stories15M/xilinx"

ABOUT = """# Performance, by a model

Written by `make performance` from [performance.json](performance.json) and the model in `host/performance/`. Measured
are the simulations of the first table and nothing else; all other figures of this design are the model's.

## The model

The model walks through a token as the hardware does, matrix by matrix in the order of `spec/program.py`, and computes
for each one in which cycle its first and its last beat pass the matvec. A matrix begins when the one before it has
passed, when its activation vector has come, and when its gains have gone. The ways of a vector from matrix to matrix
(the three drains of a layer, attention, embedding, classifier and argmax) are sums of the `LATENCY` constants of the
blocks that it passes (`ways.py`); the passes of attention follow each other as its units take them (`heads.py`).
Tapes in memory come burst by burst: one is asked for when the queue has room for it, takes the memory's latency, and
waits while the memory refreshes (`supply.py`). Key and value rows in memory are asked for when their pass waits in its
queue, and steps wait for those that have not come (`rows.py`). Six constants are measured, once and for all builds: the
cycles of registers between queue and memory, there and back, for tapes and for rows, and how many rows are ahead of
their step. Three others stand in descriptions of blocks alone: a packet's arrival to its first beat, gains to their
use, and a packet's end to the next one. A token that is drawn takes up to 80 cycles more than a greedy one.
"""
CHECKED = f"""## Against the simulation

Cycles a token, every token of the simulation equal to the integer model's; weights are random, cycles do not depend on
them. Bytes: what the memory sent, a token. The limit is {TOLERANCE:.0%}; `tb/host/test_performance.py` holds the model
to it, the short runs in every `make test` and all of them behind the marker `bus`. `make performance MEASURE=1`
measures again.
"""
ON_BOARDS = """## Models on boards

One story, greedy; weights, embedding, keys and values in memory. In the hardware they have ports of their own, here all
of them share the board's: each key and value row crosses them once a token, the embedding's row once. **Not all of this
can be built today**: a port has up to 512 bits, where a board has several that would be joined. What a row needs beyond
that, or the board does not have, is named in its last column. A build has a lane for each byte of the ports' width, the
query heads of a key/value head side by side, and weights of a byte each.
"""
PUBLISHED = """## Beside others

Figures that others have published of their designs, as this project's plan and design notes quote them; none was
measured or looked up again for this page.
"""


def clock_text() -> str:
    """Why the clock is what it is: from what was routed and mapped."""
    routed = {name.removeprefix("routed/"): entry["values"]["fmax_mhz"]
              for name, entry in json.loads(ROUTED.read_text()).items()
              if name.startswith("routed/") and "values" in entry}  # fmt: skip
    slowest, fastest = min(routed, key=routed.get), max(routed, key=routed.get)
    levels = json.loads(SYNTH.read_text())[XILINX]["paths"][0]["levels"]
    period = 1e3 / CLOCK
    return (
        f"**Clock.** {CLOCK:g} MHz on all boards, for which no tool has routed it. On an ECP5-85F, speed grade 6, the "
        f"blocks route alone at {routed[slowest]:.0f} ({slowest}) to {routed[fastest]:.0f} MHz ({fastest}; README). "
        f"Mapped to an UltraScale+ the longest way has {levels} LUT levels (`make synth CONFIG=stories15M "
        f"TARGET=xilinx`): {period / levels:.2f} ns for a LUT and its wire at {CLOCK:g} MHz, in a "
        "16 nm process where the ECP5 is of 40 nm. llama2.hls runs at 150 MHz on a KV260. `CLOCK` takes another one."
    )


def checked(stored: dict[str, dict], points: list[Point], hardware: dict[str, str]) -> list[str]:
    """The table of measured and modelled figures; what is marked was measured with other hardware than that of now."""
    heads = ("configuration", "memory", "run", "measured", "model", "apart", "last position apart", "bytes apart")
    rows, old = [], False
    for point in points:
        entry = stored.get(point.key)
        if entry is None:
            rows.append((*point.title, "not measured", *("",) * (len(heads) - 4)))
            continue
        modelled = point.model()
        shares = apart(entry["figures"], modelled)
        mark = "" if entry["hardware"] == hardware[point.key] else f" {DAGGER}"
        old = old or bool(mark)
        far = [f"{shares[name]:+.2%}" if name in shares else "" for name in ("mean", "last", "bytes")]
        counts = (f"{entry['figures']['mean']:,.0f}{mark}", f"{modelled['mean']:,.0f}")
        rows.append((*point.title, *counts, *far))
    note = [f"{DAGGER} measured with earlier hardware; `MEASURE=1` measures again.", ""] if old else []
    return [CHECKED, *table(heads, rows, left=3), *note]


def boards(say: Progress) -> list[dict]:
    """An entry for each model on each board at EARLY: fields of `Estimate`, and its `late` rate."""
    found, total = [], len(BOARDS) * len(MODELS)
    for board in BOARDS.values():
        for name, shape in MODELS.items():
            say("models on boards", len(found), total)
            early = estimate(shape, board, CLOCK, EARLY)
            late = estimate(shape, board, CLOCK, min(LATE, shape.seq_len - 1))
            found.append(entry_of(board.name, name, early) | dict(late=late.rate))
    return found


def entry_of(board: str, model: str, found: Estimate) -> dict:
    """An estimate as an entry of the table."""
    return dict(board=board, model=model, rate=found.rate) | vars(found)


def board_table(entries: list[dict]) -> list[str]:
    """The rows of `boards`."""
    heads = ("board", "model", "bytes a token", "cycles a token", "tokens/s", "at 2,048")
    heads += ("of the ports", "of the memory", "beyond today's hardware or the board")
    rows = []
    for e in entries:
        shares = (f"{e['traffic'] * e['rate'] / ports_rate(e):.1%}", f"{e['used']:.1%}")
        counts = (f"{e['traffic'] / 1e6:,.1f} MB", f"{e['cycles']:,}")
        rows.append((e["board"], e["model"], *counts, f"{e['rate']:,.2f}", f"{e['late']:,.2f}", *shares,
                     "; ".join(e["notes"])))  # fmt: skip
    memories = [f"{b.name}: {b.memory}, {b.dram.peak / 1e9:,.1f} GB/s, read latency {b.dram.latency:g} ns, refresh "
                f"{b.dram.refresh:g}% of the time." for b in BOARDS.values()]  # fmt: skip
    return [
        ON_BOARDS,
        *(f"* {memory}" for memory in memories),
        "",
        clock_text(),
        "",
        f"The token at position {EARLY + 1}, and its rate at 2,048 or the last position of a shorter context.",
        "",
        *table(heads, rows, left=2),
    ]


def last_above(rate: float) -> int:
    """The last position at which BAR_MODEL on BAR_BOARD makes so many tokens a second."""
    shape, board = MODELS[BAR_MODEL], BOARDS[BAR_BOARD]
    low, high = 0, shape.seq_len - 1
    while low < high:
        middle = (low + high + 1) // 2
        if estimate(shape, board, CLOCK, middle).rate >= rate:
            low = middle
        else:
            high = middle - 1
    return low


def bar(entries: list[dict]) -> list[str]:
    """What is said of BAR_MODEL."""
    entry = next(e for e in entries if (e["board"], e["model"]) == (BAR_BOARD, BAR_MODEL))
    last = last_above(BAR)
    slowest = CLOCK * BAR / entry["rate"]
    return [
        f"**{BAR_MODEL} on a {BAR_BOARD}**: {entry['rate']:.1f} tokens a second at position {EARLY + 1}, where "
        f"{BAR_PEER:g} are published by Torch2RISCV. {BAR:g} need {slowest:.0f} MHz there; at {CLOCK:g} MHz it makes "
        f"them up to position {last + 1:,}, as keys and values cross the bus too. It needs the four ports joined to "
        "one bus of 512 bits.",
        "",
    ]


def own_shares(stored: dict[str, dict], points: list[Point], entries: list[dict]) -> list[tuple[str, float]]:
    """Of what buses could bring in all cycles, how much is of use: as measured, and by the model."""
    found = []
    for point in points:
        useful = stored.get(point.key, {}).get("useful")
        if useful and not point.quick and not point.changes:
            found.append((f"{point.config}, latency {point.dram.latency}: simulated", useful))
    for board in ("KV260", "KV260-1"):
        entry = next(e for e in entries if (e["board"], e["model"]) == (board, BAR_MODEL))
        found.append((f"{BAR_MODEL}, {board}: model", entry["weights"] * entry["rate"] / ports_rate(entry)))
    return found


def ports_rate(entry: dict) -> float:
    """Bytes a second that the ports of a board bring at the clock."""
    board = BOARDS[entry["board"]]
    return board.ports * board.port_bits / 8 * entry["clock"]


def render(stored: dict[str, dict], points: list[Point], hardware: dict[str, str], entries: list[dict]) -> str:
    """The whole page."""
    peers = [(peer.name, peer.run, peer.figure, peer.source) for peer in PEERS]
    lines = [ABOUT, *checked(stored, points, hardware), *board_table(entries), *bar(entries), PUBLISHED]
    lines += table(("design", "run", "published", "by"), peers, left=4)
    lines += [
        f"![Tokens a second over bytes a token, with the memories' rooflines; use of the memory]({PICTURE})",
        "",
        f"Left: this design by the model at position {EARLY + 1}. llama2.hls stands at the bytes that its share of the "
        "bus makes, Torch2RISCV, whose bytes a token are not known here, at those of this design's weights. Right: "
        "weights, and for others what they state, over what ports or bus could bring, with refreshes in the time.",
        "",
        "    make performance BOARD=KV260 MODEL=SmolLM2-135M CLOCK=200 POSITION=500     # another point",
        "    make performance BOARD=KV260 MODEL=stories15M WIDTH=32 RATE=1866 LATENCY=400 REFRESH=6   # another memory",
    ]
    return "\n".join(lines) + "\n"
