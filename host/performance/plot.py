"""The rooflines: what memories admit, what this design and others make of it."""

from llama2_myhdl.host.drawing import canvas, svg
from llama2_myhdl.host.performance.boards import BOARDS, CLOCK
from llama2_myhdl.host.performance.peers import PEERS

INK, LINE = "#0f172a", "#cbd5e1"
COLOURS = {"KV260-1": "#c026d3", "KV260": "#2563eb", "ZCU104": "#0d9488", "U280": "#ea580c"}
MARKS = {"KV260-1": "v", "KV260": "o", "ZCU104": "s", "U280": "^"}
PEER = "#dc2626"
GIGA = 1e9
LABEL = 2.2e9  # bytes a token at which lines have their names


def _port_rate(board) -> float:
    """Bytes a second that the ports bring at the clock of all boards."""
    return min(board.dram.peak, board.ports * board.port_bits / 8 * CLOCK * 1e6)


def _rooflines(axes, entries: list[dict]) -> None:
    """Tokens a second over bytes a token: a rate of bytes is a falling line."""
    low, high = 1e7, 3e10
    drawn = set()
    for name, board in BOARDS.items():
        for rate, style, what in ((board.dram.peak, "-", "memory"), (_port_rate(board), "--", f"{CLOCK:g} MHz")):
            if (rate, what) not in drawn:
                drawn.add((rate, what))
                axes.plot([low, high], [rate / low, rate / high], style, color=COLOURS[name], linewidth=1, alpha=0.7)
                axes.annotate(f"{rate / GIGA:,.4g} GB/s", (LABEL, rate / LABEL), fontsize=7, color=COLOURS[name],
                              xytext=(3, 3), textcoords="offset points")  # fmt: skip
    for name in BOARDS:
        own = [entry for entry in entries if entry["board"] == name]
        places = [entry["traffic"] for entry in own], [entry["rate"] for entry in own]
        shown = dict(markerfacecolor="none", markersize=10) if name == "ZCU104" else dict(markersize=6)  # as KV260
        axes.plot(*places, MARKS[name], color=COLOURS[name], label=f"this design, {name}", **shown)
    for peer in PEERS:
        if peer.rate:
            own = next(e for e in entries if e["model"] == peer.model and e["board"] == "KV260")
            place = peer.share[0] * peer.peak / peer.rate if peer.share else own["weights"]
            axes.plot([place], [peer.rate], "X", color=PEER, markersize=9, zorder=5)
            axes.annotate(peer.name, (place, peer.rate), fontsize=8, color=PEER, xytext=(8, -3),
                          textcoords="offset points")  # fmt: skip
    axes.plot([], [], "X", color=PEER, label="published by others")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(0.5, 2e4)
    for entry in entries:
        if entry["board"] == "U280":
            below = entry["model"].startswith("Llama-2")  # Llama-3 is beside it
            axes.annotate(entry["model"], (entry["traffic"], entry["rate"]), fontsize=7, color=INK,
                          xytext=(-4, -12) if below else (5, 5), textcoords="offset points",
                          ha="right" if below else "left")  # fmt: skip
    axes.set_xlabel("bytes a token, from memory")
    axes.set_ylabel("tokens a second")
    axes.set_title(f"rooflines: memory (solid), its ports at {CLOCK:g} MHz (dashed)", fontsize=9)
    axes.legend(fontsize=7, frameon=False, loc="lower left")


def _shares(axes, own: list[tuple[str, float]]) -> None:
    """Of what a bus could bring, how much is of use."""
    rows = [(name, share, share, COLOURS["KV260"]) for name, share in own]
    rows += [(peer.name, *peer.share, PEER) for peer in PEERS if peer.share]
    rows.reverse()
    for place, (_, low, high, colour) in enumerate(rows):
        axes.barh(place, high * 100, color=colour, alpha=0.8, height=0.6)
        text = f"{high * 100:.3g}%" if low == high else f"{low:.0%} to {high:.0%}"
        inside = high > 0.3
        axes.annotate(text, (high * 100, place), xytext=(-4 if inside else 4, 0), textcoords="offset points",
                      ha="right" if inside else "left", va="center", fontsize=8,
                      color="white" if inside else INK)  # fmt: skip
    axes.set_yticks(range(len(rows)), [row[0] for row in rows], fontsize=8)
    axes.set_xlim(0, 100)
    axes.set_xlabel("percent of what memory or bus could bring")
    axes.set_title("use of the memory: this design (blue), others (red)", fontsize=9)


def picture(entries: list[dict], own: list[tuple[str, float]]) -> bytes:
    """entries: of `report.boards` at the first position; own: this design's shares, by name."""
    figure, ((left, right),) = canvas(1, 5.2, 2)
    _rooflines(left, entries)
    _shares(right, own)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color=LINE, linewidth=0.5)
        axes.set_axisbelow(True)
    return svg(figure)
