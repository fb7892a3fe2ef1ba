"""How much of its buses a build that reads from memory used, from what `sim.memories.traffic` counted."""

from llama2_myhdl.host.utilisation import needed
from llama2_myhdl.sim.jobs import Outcome
from llama2_myhdl.spec.config import BuildConfig, ModelShape


def bus_use(build: BuildConfig, shape: ModelShape, outcome: Outcome, tokens: int, scored: int, cycles: int) -> dict:
    """What a group of jobs did on the buses of its build, by name:

    bytes_per_token: that the memories sent, of weights and embedding.
    Of the weights' buses, one a station (where the weights are on the chip the embedding's, else the caches'): busy:
    share of the cycles in which a bus had a beat; refreshed: share in which its memory could not send one; useful:
    bytes of weights, without exponents, gains and padding, over what the buses could have brought in the other cycles;
    waiting: share of the cycles in which stations waited for a beat.
    Of a build with its keys and values in memory too: cache_read, cache_written: bytes a token, with their exponents.
    """
    counts, caches = _differences(outcome, "bus"), _differences(outcome, "cache")
    rows = [counts.pop()] if build.embedding else []
    sizes = [(build.weights, counts), (build.embedding, rows), (build.cache, caches)]
    sent = sum(count["sent"] * bus.word_bytes for bus, part in sizes[:2] for count in part)
    bus, looked_at = next((bus, part) for bus, part in sizes if bus)
    all_cycles, beats, refreshed = (sum(count[name] for count in looked_at) for name in ("cycle", "sent", "refreshed"))
    weights = needed(shape, tokens, scored) * build.weight_bits // 8 if build.weights else 0
    use = dict(
        bytes_per_token=sent / tokens,
        busy=beats / all_cycles,
        refreshed=refreshed / all_cycles,
        useful=weights / (bus.word_bytes * (all_cycles - refreshed)),
        waiting=outcome.counted("tape") / (cycles * len(looked_at)),
    )
    for name, count in (("cache_read", "sent"), ("cache_written", "written")) if build.cache else ():
        use[name] = sum(cache[count] for cache in caches) * build.cache.word_bytes / tokens
    return use


def _differences(outcome: Outcome, name: str) -> list[dict]:
    """What each memory has counted from start to finish."""
    both = zip(outcome.start[name], outcome.finish[name], strict=True)
    return [{count: after[count] - before[count] for count in before} for before, after in both]


def bus_line(use: dict) -> str:
    """That as a line."""
    line = (
        f"bus: {use['bytes_per_token']:,.0f} bytes a token, a beat in {use['busy']:.1%} of its cycles, refresh in "
        f"{use['refreshed']:.1%}, useful weight bytes {use['useful']:.1%} of what the others can bring, "
        f"waited for in {use['waiting']:.1%}"
    )
    if "cache_read" in use:
        line += f"; keys and values: {use['cache_read']:,.0f} bytes a token read, {use['cache_written']:,.0f} written"
    return line
