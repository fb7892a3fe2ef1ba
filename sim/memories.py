"""The memories of a decoder with its weights or its key/value caches there: one at the ports of each master."""

from collections.abc import Sequence

from llama2_myhdl.sim.dram import Dram
from llama2_myhdl.sim.simulator import Memory, Simulator
from llama2_myhdl.spec.cache import layout
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.weights.memory import tape_places

FIRST_TAPE = 0x1_0000_0040  # address of the first tape: at no burst's edge
FIRST_CACHE = 0x2_0000_0080  # of each cache: at none either


def at_ports(sim: Simulator, build: BuildConfig, stations: int, dram: Dram) -> list[Memory]:
    """One a station; the last station's has the head's tape, alone or behind that of its layers."""
    regions = [(k < build.engines) + (k == stations - 1) for k in range(stations)]
    found = [sim.memory(f"m_axi_{k}", build.weights, count, seed=k) for k, count in enumerate(regions)]
    for memory in found:
        memory.behave(**dram.behaviour)
    return found


def place(sim: Simulator, memories: Sequence[Memory], tapes: Sequence[bytes], build: BuildConfig) -> None:
    """Lay the tapes, `weights.memory.memory_image`, into the memories, one behind the other, and say where."""
    places = list(zip(tape_places(tapes, build, FIRST_TAPE), tapes))
    for k, memory in enumerate(memories):
        own = places[k:] if k == len(memories) - 1 else places[k : k + 1]
        memory.fill(dict(own))
        sim.set(**{f"tape_base_{k}_{region}": base for region, (base, _) in enumerate(own)})


def cached(sim: Simulator, build: BuildConfig, dram: Dram) -> list[Memory]:
    """One an engine, for its keys and values; it holds nothing that means something."""
    found = [
        sim.memory(f"m_axi_cache_{k}", build.cache, build.attention_units, seed=16 + k, writes=True)
        for k in range(build.engines)
    ]
    noise = bytes([0xA5]) * (layout(build).beats * build.cache.word_bytes)
    for k, memory in enumerate(found):
        memory.behave(**dram.behaviour)
        memory.fill({FIRST_CACHE: noise})
        sim.set(**{f"cache_base_{k}": FIRST_CACHE})
    return found


def traffic(sim: Simulator, memories: Sequence[Memory]) -> list[dict]:
    """Of each: the cycle of the simulation, beats sent and cycles of refresh so far."""
    counts = [{name: memory.seen(name) for name in ("sent", "refreshed")} for memory in memories]
    return [dict(cycle=sim.cycle) | found for found in counts]
