"""The measures that `make bench` holds against limits, and the comparison of cycle counts with earlier ones."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from llama2_myhdl.host.bench_scenarios import (
    ALONE,
    ARRIVALS,
    DECODE_BIG,
    DECODE_EARLY,
    DECODE_LONG,
    PREFILL,
    TOGETHER,
    Machine,
    Scenario,
)

TOLERANCE = 0.02  # cycle counts of `make bench QUICK=1` may differ by this share
Results = dict[str, dict]  # "model/lanes/engines/scenario" -> its figures


@dataclass(frozen=True)
class Measure:
    """most: the limit is an upper one; form: format of limit and value; value: from the scenarios' figures."""

    name: str
    most: bool
    limit: float
    form: str
    value: Callable[[Results], float]

    def entry(self, results: Results) -> dict:
        """What docs/bench.json says of it; value None when its scenarios did not run."""
        try:
            value = self.value(results)
        except KeyError:
            value = None
        sign = "at most" if self.most else "at least"
        met = value is not None and (value <= self.limit if self.most else value >= self.limit)
        text = "none" if value is None else format(value, self.form)
        return dict(
            measure=self.name, limit=f"{sign} {self.limit:{self.form}}", shown=text, value=value, met=met
        )


def _of(scenario: Scenario, field: str, lanes: int = 64, engines: int = 1, model: str = "stories260K"):
    """Reads one figure."""
    return lambda results: results[f"{model}/{lanes}/{engines}/{scenario.key}"][field]


def prefill_gain(results: Results, engines: int) -> float:
    """How many times faster than one engine a prompt passes."""
    return _of(PREFILL, "beat")(results) / _of(PREFILL, "beat", engines=engines)(results)


def prefill_share(results: Results, engines: int) -> float:
    """That over the ideal, which is given by the engine with the most layers."""
    layers = _of(PREFILL, "layers", engines=engines)(results)
    return prefill_gain(results, engines) / (layers / ceil(layers / engines))


def together_gain(results: Results, engines: int) -> float:
    """Tokens a cycle of several sequences over those of one, on the same build."""
    return _of(ALONE, "per_token", engines=engines)(results) / _of(TOGETHER, "per_token", engines=engines)(results)


def equal_share(results: Results, engines: int) -> float:
    """Beats of sequences at random times that are those of the sequence alone."""
    return _of(ARRIVALS, "equal", engines=engines)(results) / _of(ARRIVALS, "tokens", engines=engines)(results)


CYCLES, SHARE, TIMES = ",.0f", ".1%", ".2f"
_IDEAL = "prompt on E = {} over E = 1, as a share of the ideal"
MEASURES = (
    Measure("E = 1, 64 lanes: cycles a token, positions 0 to 31", True, 5_000, CYCLES, _of(DECODE_LONG, "early")),
    Measure("the same story at position 255", True, 6_300, CYCLES, _of(DECODE_LONG, "last")),
    Measure(
        "E = 1, 16 lanes: cycles a token, positions 0 to 31", True, 17_500, CYCLES, _of(DECODE_EARLY, "early", 16)
    ),
    Measure(
        "stories15M's shape, 16 lanes: multipliers used",
        False,
        0.97,
        SHARE,
        _of(DECODE_BIG, "utilisation", 16, model="stories15M"),
    ),
    Measure("prompt on E = 5: times as fast as on E = 1", False, 4.2, TIMES, lambda r: prefill_gain(r, 5)),
    Measure("E = 5, five sequences: times the tokens of one", False, 4.0, TIMES, lambda r: together_gain(r, 5)),
    *(
        Measure(_IDEAL.format(engines), False, 0.85, SHARE, lambda r, engines=engines: prefill_share(r, engines))
        for engines in (2, 3)
    ),
    Measure("E = 5, sequences at random times: beats as alone", False, 1.0, SHARE, lambda r: equal_share(r, 5)),
)


def counts(machines: tuple[Machine, ...], results: Results) -> dict[str, int]:
    """The cycle counts that are compared: of every scenario of these machines that ran."""
    keys = [f"{machine.key}/{scenario.key}" for machine in machines for scenario in machine.scenarios]
    return {key: results[key]["cycles"] for key in keys if key in results}


def compare(found: dict[str, int], stored: dict[str, int]) -> tuple[list[str], list[str]]:
    """(regressions, hints), a line each: counts that are more than TOLERANCE worse or better than the stored ones."""
    worse, better = [], []
    for key, cycles in found.items():
        if key not in stored:
            worse.append(f"{key}: nothing is stored, run make bench QUICK=1 STORE=1")
            continue
        line = f"{key}: {cycles:,} cycles, {cycles / stored[key] - 1:+.1%} of the stored {stored[key]:,}"
        if cycles > stored[key] * (1 + TOLERANCE):
            worse.append(line)
        elif cycles < stored[key] * (1 - TOLERANCE):
            better.append(f"{line}; make bench QUICK=1 STORE=1 stores it")
    worse += [f"{key}: is stored, but did not run" for key in stored if key not in found]
    return worse, better
