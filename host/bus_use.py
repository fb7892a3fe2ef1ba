"""How much of its buses a build with weights in memory used, from what `sim.memories.traffic` counted."""

from llama2_myhdl.host.utilisation import needed
from llama2_myhdl.sim.jobs import Outcome
from llama2_myhdl.spec.config import BuildConfig, ModelShape


def bus_use(build: BuildConfig, shape: ModelShape, outcome: Outcome, tokens: int, scored: int, cycles: int) -> dict:
    """What a group of jobs did on all buses of its build, one a station, by name:

    bytes_per_token: that the memories sent; busy: share of the cycles in which a bus had a beat; refreshed: share in
    which its memory could not send one; useful: bytes of weights, without exponents, gains and padding, over what the
    buses could have brought in the other cycles; waiting: share of the cycles in which stations waited for a beat.
    """
    begin, end = outcome.start["bus"], outcome.finish["bus"]
    passed = [after["cycle"] - before["cycle"] for before, after in zip(begin, end, strict=True)]
    sent, refreshed = (
        sum(after[name] - before[name] for before, after in zip(begin, end)) for name in ("sent", "refreshed")
    )
    all_cycles, beat = sum(passed), build.weights.word_bytes
    return dict(
        bytes_per_token=sent * beat / tokens,
        busy=sent / all_cycles,
        refreshed=refreshed / all_cycles,
        useful=needed(shape, tokens, scored) / (beat * (all_cycles - refreshed)),
        waiting=outcome.counted("tape") / (cycles * len(begin)),
    )


def bus_line(use: dict) -> str:
    """That as a line."""
    return (
        f"bus: {use['bytes_per_token']:,.0f} bytes a token, a beat in {use['busy']:.1%} of its cycles, refresh in "
        f"{use['refreshed']:.1%}, useful weight bytes {use['useful']:.1%} of what the others can bring, "
        f"waited for in {use['waiting']:.1%}"
    )
