"""A run as a page shows it, as plain numbers: docs/watch.md says what each field means."""

from llama2_myhdl.host.gantt import joined
from llama2_myhdl.host.telling import Told
from llama2_myhdl.readers.codec import StreamDecoder
from llama2_myhdl.rtl.layer.probes import UNITS
from llama2_myhdl.sim.trace import IDLE, STAGES, WAIT
from llama2_myhdl.spec.causes import CAUSES
from llama2_myhdl.spec.counters import COUNTERS
from llama2_myhdl.spec.kinds import VALUE
from llama2_myhdl.spec.stops import STOP_NAMES
from llama2_myhdl.watch import limits
from llama2_myhdl.watch.tensors import tensors

FORMAT, VERSION = "llama2.myhdl recording", 1
STAGE_NAMES = (*dict.fromkeys(STAGES.values()), WAIT)


def _rows(told: Told) -> dict[tuple[int, int], list[dict]]:
    """The rows of the cycle table of each sequence and position, station by station."""
    found = {}
    for row in sorted(told.outcomes[0].trace, key=lambda row: (row["station"], row["cycle"])):
        if row["stage"] != IDLE:
            found.setdefault((row["seq"], row["pos"]), []).append(row)
    return found


def _busy(rows: list[dict], unit: str) -> list[tuple[int, int]]:
    """Runs in which a unit is busy in any station: the next one takes a packet while the one before still gives it."""
    runs = []
    for begin, length in sorted(tuple(run) for row in rows for run in row["spans"].get(unit, ())):
        if runs and begin <= sum(runs[-1]):
            first, before = runs[-1]
            runs[-1] = first, max(before, begin + length - first)
        else:
            runs.append((begin, length))
    return runs


def _spans(rows: list[dict], first: int, gap: int) -> list[list[int]]:
    """Of each unit its busy runs: cycles that it is not busy, cycles that it is, and so on; gaps below `gap` closed."""
    result = []
    for unit in UNITS:
        flat, end = [], first
        for begin, length in joined(_busy(rows, unit), gap):
            flat += [begin - end, length]
            end = begin + length
        result.append(flat)
    return result


def _stages(rows: list[dict], first: int, gap: int) -> list[int]:
    """station, layer, number of the stage, first cycle, cycles, and so on; those below `gap` go with the one before."""
    flat = []
    for row in rows:
        if flat and row["cycles"] < gap and flat[-5] == row["station"]:
            flat[-1] = row["cycle"] + row["cycles"] - first - flat[-2]
        else:
            stage = STAGE_NAMES.index(row["stage"])
            flat += [row["station"], row["layer"], stage, row["cycle"] - first, row["cycles"]]
    return flat


def _cached(rows: list[dict], layers: int, first: int) -> list[int]:
    """For each layer the cycle in which the last beat of its Wv has passed: then its keys and values are there."""
    ends = [0] * layers
    for row in rows:
        if row["stage"] == STAGES[VALUE]:
            ends[row["layer"]] = row["cycle"] + row["cycles"] - first
    return ends


def _token(request, outcome, k: int, fed: list[int], rows: list[dict], origin: int) -> dict:
    """One token's fields but those that are thinned, and its text."""
    beat, first = outcome.tokens[k], rows[0]["cycle"]
    return dict(
        story=beat["seq"],
        pos=beat["pos"],
        id=fed[k],
        prompt=k < len(request.prompt),
        said=beat["token"],
        sampled=bool(beat["sampled"]),
        cycles=outcome.cycles_per_position[k],
        first=first - origin,
        end=beat["cycles"] - origin,
        busy=[sum(length for _, length in _busy(rows, unit)) for unit in UNITS],
        causes=[sum(row["causes"].get(cause, 0) for row in rows) for cause in CAUSES],
        cached=_cached(rows, request.shape.n_layers, first),
    )


def _texts(request, fed: list[int]) -> list[str]:
    """What each token adds to the text."""
    decoder = StreamDecoder(request.tokenizer)
    texts = [decoder.feed(token) for token in fed]
    return [*texts[:-1], texts[-1] + decoder.finish()]


def _stories(request, told: Told) -> list[dict]:
    """text: of all tokens that were fed."""
    return [
        dict(
            text=request.tokenizer.decode_all(fed),
            tokens=len(outcome.tokens),
            stop=STOP_NAMES[outcome.tokens[-1]["stop"]],
            equal=outcome.beats == beats,
        )
        for outcome, fed, beats in zip(told.outcomes, told.inputs, told.answers.beats, strict=True)
    ]


def _machine(request) -> dict:
    shape, build = request.shape, request.build
    names = ("dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len")
    return dict(
        model=request.model_name,
        shape={name: getattr(shape, name) for name in names},
        lanes=build.lanes,
        engines=build.engines,
        sequences=build.sequences,
        # mantissas of a position's keys and values in one layer
        cache_bits=shape.kv_dim * (build.key_bits + build.value_bits),
    )


def recording(request, told: Told, sim: str) -> dict:
    """The whole run, its long parts thinned to `limits`. request: a `watch.run.Watched`; sim: what simulated it."""
    first = told.outcomes[0]
    origin, rows = first.start["cycles"], _rows(told)
    tokens = []
    for outcome, fed in zip(told.outcomes, told.inputs, strict=True):
        fed = fed[: len(outcome.tokens)]
        for k, text in enumerate(_texts(request, fed)):
            beat = outcome.tokens[k]
            token = _token(request, outcome, k, fed, rows[beat["seq"], beat["pos"]], origin)
            tokens.append(token | dict(text=text))
    tokens.sort(key=lambda token: token["end"])
    keys = [(token["story"], token["pos"]) for token in tokens]

    def spans(gap: int) -> list[list[int]]:
        return [flat for key in keys for flat in _spans(rows[key], rows[key][0]["cycle"], gap)]

    def stages(gap: int) -> list[list[int]]:
        return [_stages(rows[key], rows[key][0]["cycle"], gap) for key in keys]

    span_gap, flat_spans = limits.coarse(spans, limits.SPAN_NUMBERS)
    stage_gap, flat_stages = limits.coarse(stages, limits.STAGE_NUMBERS)
    for k, token in enumerate(tokens):
        token |= dict(spans=flat_spans[k * len(UNITS) : (k + 1) * len(UNITS)], stages=flat_stages[k])
    kept = tensors(request, told, tokens)
    return dict(
        format=FORMAT,
        version=VERSION,
        **_machine(request),
        sim=sim,
        stations=_stations(first, request.build.engines),
        units=list(UNITS),
        causes=list(CAUSES),
        stage_names=list(STAGE_NAMES),
        cycles=max(token["end"] for token in tokens),
        counters=[{name: first.counted(name, k) for name in COUNTERS} for k in range(len(first.start["counters"]))],
        stories=_stories(request, told),
        thinned=dict(span_gap=span_gap, stage_gap=stage_gap),
        **kept,
        tokens=tokens,
    )


def _stations(outcome, engines: int) -> list[str]:
    return [f"engine {k}" if k < engines else "head" for k in range(len(outcome.start["counters"]))]

