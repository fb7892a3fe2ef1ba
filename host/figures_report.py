"""The figures as Markdown: tables made from the contents of docs/figures.json and nothing else."""

from llama2_myhdl.syn.targets import ECP5

ACCURACY = (("agreement", ".2%"), ("perplexity_ratio", ".4f"))  # columns and their formats
NAMES = {"default": "shipped model"}
DAGGER = "†"
STALE = f"{DAGGER} measured with earlier sources; `make figures` measures again."


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]], left: int = 1) -> list[str]:
    """Lines of a Markdown table; the first columns, as many as `left`, are left-aligned, the others right-aligned."""
    ruler = "|" + " --- |" * left + " ---: |" * (len(heads) - left)
    return ["| " + " | ".join(heads) + " |", ruler, *("| " + " | ".join(row) + " |" for row in rows), ""]


def group(figures: dict, name: str) -> list[tuple[str, dict]]:
    """Entries `name/...` of the figures, with the rest of their names."""
    return [(key.removeprefix(f"{name}/"), entry) for key, entry in figures.items() if key.startswith(f"{name}/")]


def _mark(entry: dict) -> str:
    return f" {DAGGER}" if entry["state"] == "earlier" else ""


def _row(label: tuple[str, ...], entry: dict, columns: int, values) -> tuple[str, ...]:
    """Label and figures; the label is marked when they are of earlier sources. Without figures, the reason."""
    if entry["state"] == "missing":
        return (*label, f"not measured: {entry['why']}", *("",) * (columns - len(label) - 1))
    return (label[0] + _mark(entry), *label[1:], *values(entry["values"]))


def _agreement(figures: dict) -> list[str]:
    entry = figures["agreement"]
    if entry["state"] == "missing":
        return [f"**Agreement with llama2.c** is not measured: {entry['why']}.", ""]
    values = entry["values"]
    rows = [
        (f'"{name}"', str(v["positions"]), str(v["equal"]), f"{v['equal'] / v['positions']:.1%}")
        for name, v in values["texts"].items()
    ]
    return [
        "**Agreement with llama2.c.** Fed llama2.c's own greedy stories of stories260K, the hardware names the same "
        f'next token at these positions. Told freely from "{values["free_prompt"]}", its story equals llama2.c\'s for '
        f"{values['free_equal']} of {values['free_tokens']} tokens.{_mark(entry)} (`make figures ONLY=agreement`)",
        "",
        *table(("story", "positions", "equal", "share"), rows),
    ]


def _accuracy(figures: dict) -> list[str]:
    heads = ("model", "positions", "top-1", "perplexity ratio", "top-1, weights only", "ratio, weights only")

    def values(v):
        found = (
            f"{v[name][key]:{form}} ± {v['deviation'][name][key]:{form}}"
            for name in ("integer", "weights")
            for key, form in ACCURACY
        )
        return (f"{v['seeds']} x {v['integer']['positions']:,.0f}", *found)

    rows = [_row((NAMES.get(name, name),), entry, len(heads), values) for name, entry in group(figures, "accuracy")]
    return [
        "**Accuracy.** The integer model, which the hardware equals bit for bit, against float on texts "
        "sampled from the float model: mean and standard deviation from seed to seed (`make accuracy SEEDS=5 MODEL=.. "
        "TOKENIZER=..`).",
        "",
        *table(heads, rows),
    ]


def _perplexity(figures: dict) -> list[str]:
    heads = ("model", "tokens", "hardware", "integer model in float64", "difference", "float", "cycles a token")

    def values(v):
        hardware, integer, in_float = (v[name]["perplexity"] for name in ("hardware", "integer", "float"))
        found = (f"{hardware:.5f}", f"{integer:.5f}", f"{hardware / integer - 1:+.4%}", f"{in_float:.5f}")
        return (f"{v['tokens']:,}", *found, f"{v['cycles_per_token']:,.0f}")

    rows = [_row((NAMES.get(name, name),), entry, len(heads), values) for name, entry in group(figures, "perplexity")]
    return [
        "**Perplexity** of text sampled from the float model: as the hardware's own log-probabilities have it, every "
        "beat equal to the integer model's; from the integer model's logits with a softmax in float64; and from the "
        "float model, which is llama2.c's arithmetic (`make perplexity CONFIG=default MODEL=.. TOKENIZER=..`).",
        "",
        *table(heads, rows),
    ]


def _routed(figures: dict) -> list[str]:
    heads = ("block", "MHz", "LUT4", "carry", "flip-flops", "LUT RAM", "block RAM", "multipliers")

    def values(v):
        return (f"{v['fmax_mhz']:.1f}", *(f"{v[column]:,g}" for column in ECP5.columns))

    rows = [_row((name,), entry, len(heads), values) for name, entry in group(figures, "routed")]
    return [
        "**Routed alone** on a Lattice ECP5-85F, speed grade 6, each block of the 64-lane build in a wrapper that "
        "registers its ports (`make pnr BLOCK=..`). Attention has a cache that fits the device: 2 layers of 128 "
        "positions.",
        "",
        *table(heads, rows),
    ]


def _bus(figures: dict) -> list[str]:
    heads = ("configuration", "bus", "positions", "cycles a token", "refresh taken out", "bytes a token")
    heads += ("beat on the bus", "refresh", "useful", "waits for the bus", "keys and values", "on one bus")

    def values(v):
        counts = (v["per_token"], v["without_refresh"], v["bytes_per_token"])
        shares = (v[name] for name in ("busy", "refreshed", "useful", "waiting"))
        width = f"{v['bus_bits']} bits"
        rows = v.get("cache_read", 0) + v.get("cache_written", 0)
        one_bus = v["without_refresh"] + rows * 8 / v["bus_bits"]
        behind = (f"{rows:,.0f}", f"{one_bus:,.0f}") if rows else ("on the chip", "")
        return (width, str(v["positions"]), *(f"{x:,.0f}" for x in counts), *(f"{x:.1%}" for x in shares), *behind)

    entries = group(figures, "bus")
    rows = [_row((name,), entry, len(heads), values) for name, entry in entries]
    latency = {entry["values"]["latency"] for _, entry in entries if entry["state"] != "missing"}
    slow = f", whose reads take {latency.pop()} cycles" if len(latency) == 1 else ""
    return [
        f"**Weights in memory** behind AXI4{slow}, in stories15M-bus keys and values too, behind a port of their own "
        "(`make generate CONFIG=default-bus`). Stories told freely, default-bus by stories260K, stories15M-bus by a "
        "random model of that shape, every token equal to the integer model's. Of the cycles of the weights' bus: "
        "those with a beat, those in which the memory refreshes. Useful: bytes of weights, without exponents, gains "
        "and padding, over what that bus can bring while there is no refresh. Waits: cycles in which a station has no "
        "beat of its tape. Keys and values: bytes a token over their own bus, mean of the story, and the cycles a "
        "token, refresh taken out, if they went over the weights' bus.",
        "",
        *table(heads, rows),
    ]


def _configurations(figures: dict) -> list[str]:
    heads = ("name", "dim", "hidden", "layers", "heads / KV", "vocabulary", "context", "lanes", "tape beats", "floor")
    rows = []
    for name, v in figures["configurations"]["values"].items():
        counts = (v[key] for key in ("vocab_size", "seq_len", "lanes", "tape", "floor"))
        shape = (str(v["dim"]), str(v["hidden_dim"]), str(v["n_layers"]), f"{v['n_heads']} / {v['n_kv_heads']}")
        rows.append((name, *shape, *(f"{count:,}" for count in counts)))
    return [
        "**Named configurations** (`spec/presets.py`, `make convert CONFIG=..`). Tape beats: the weights with their "
        "exponents and gains, read once a token. Floor: cycles per token at one weight beat a cycle.",
        "",
        *table(heads, rows),
    ]


def render(figures: dict) -> str:
    """The whole block between the README's markers."""
    parts = [_agreement, _accuracy, _perplexity, _routed, _bus, _configurations]
    lines = [line for part in parts for line in part(figures)]
    if any(entry["state"] == "earlier" for entry in figures.values()):
        lines += [STALE, ""]
    return "\n".join(lines)
