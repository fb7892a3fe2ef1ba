"""The memories of a decoder that has some: one at the ports of each station, of the embedding, of each cache."""

from collections.abc import Sequence

from llama2_myhdl.sim.dram import Dram
from llama2_myhdl.sim.simulator import Memory, Simulator
from llama2_myhdl.spec.cache import layout
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.weights.memory import part_places

FIRST = 0x1_0000_0040  # address of what lies first: at no burst's edge
FIRST_CACHE = 0x2_0000_0080  # of each cache: at none either


def at_ports(sim: Simulator, build: BuildConfig, stations: int, dram: Dram) -> list[Memory]:
    """One a station if the weights are there; the last station's has the head's tape, alone or behind that of its
    layers. Then one for the embedding, if that is there."""
    regions = [(k < build.engines) + (k == stations - 1) for k in range(stations if build.weights else 0)]
    found = [sim.memory(f"m_axi_{k}", build.weights, count, seed=k) for k, count in enumerate(regions)]
    if build.embedding:
        found.append(sim.memory("m_axi_embedding", build.embedding, 1, seed=len(found)))
    for memory in found:
        memory.behave(**dram.behaviour)
    return found


def place(sim: Simulator, memories: Sequence[Memory], parts: Sequence[bytes], build: BuildConfig) -> None:
    """Lay the parts, `weights.memory.memory_image`, into the memories, one behind the other, and say where."""
    places, tapes = list(zip(part_places(parts, build, FIRST), parts)), list(memories)
    if build.embedding:
        base, table = places.pop()
        tapes.pop().fill({base: table})
        sim.set(embedding_base=base)
    for k, memory in enumerate(tapes):
        own = places[k:] if k == len(tapes) - 1 else places[k : k + 1]
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


def traffic(sim: Simulator, memories: Sequence[Memory], writes: bool = False) -> list[dict]:
    """Of each: the cycle of the simulation, beats sent and cycles of refresh so far; writes: beats written too."""
    names = ("sent", "refreshed", "written") if writes else ("sent", "refreshed")
    counts = [{name: memory.seen(name) for name in names} for memory in memories]
    return [dict(cycle=sim.cycle) | found for found in counts]
