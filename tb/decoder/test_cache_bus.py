"""The decoder with its keys and values in memory: the integer model's values, whatever the memory does; and what it
says of a memory that fails."""

from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.hdl.ports import HierarchyError
from llama2_myhdl.rtl.decoder import decoder, ports
from llama2_myhdl.sim.dram import Dram
from llama2_myhdl.sim.jobs import run_group
from llama2_myhdl.sim.session import Session
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.axi import DECERR, SLVERR
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.errors import (
    DECODE_ERROR,
    MEANING,
    NONE,
    SLAVE_ERROR,
    WRITE_DECODE_ERROR,
    WRITE_SLAVE_ERROR,
)
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.weights.memory import memory_image
from llama2_myhdl.weights.tape import boot_image
from tb.decoder.behind_bus import STORM, job, model, tell
from tb.sim.simulators import SESSIONS

BOTH = preset("nano-kv").build
BUILD = replace(BOTH, weights=None, embedding=None)  # tapes and embedding on the chip
POSITIONS = 12
CALM = dict(latency=(1, 1), stalls={}, refresh=None, interleaved=False)
# answers to writes come long after the next token of a layer has begun
BEHAVIOURS = (CALM, STORM | dict(stalls=dict(ar=0.4, r=0.3, aw=0.4, w=0.3, b=0.3)), CALM | dict(latency=(400, 2000)))


def image_of(golden, build):
    """Boot image and tapes of a model for a build of whatever kind."""
    return boot_image(golden.weights, build), memory_image(golden.weights, build) if build.weights else ()


@pytest.mark.parametrize("name", ["nano-kv", "tapes on the chip"])
def test_models(name):
    """A quick memory, a stormy one, a slow one, one simulation: the beats that are late are stalls and no more."""
    build = BOTH if name == "nano-kv" else BUILD
    golden, *_ = model("nano", BOTH, 7)
    image, tapes = image_of(golden, build)
    cycles = []
    with Session(build) as session:
        (cache,) = session.caches
        for behaviour in BEHAVIOURS:
            cache.behave(**behaviour)
            assert session.boot(image, tapes) == NONE
            begun = cache.seen("answered"), cache.seen("sent")
            outcome = tell(session, golden, job(golden, 7, POSITIONS))
            cycles.append(outcome.finish["cycles"] - outcome.start["cycles"])
            rows = golden.shape.n_layers * golden.shape.n_kv_heads * POSITIONS
            assert cache.seen("answered") - begun[0] >= 2 * (rows - 2 * golden.shape.n_kv_heads)
            assert cache.seen("sent") > begun[1]
    assert cycles[0] < cycles[2]


@pytest.mark.bus
@pytest.mark.parametrize("sim", [sim for sim in SESSIONS if sim != "icarus"])  # it takes a quarter of an hour there
def test_engines_and_sequences(sim):
    """A cache for each engine, sequences in flight: each as if it were alone."""
    build = replace(BUILD, engines=2, sequences=2, attention_units=2, attention_queries=2)
    golden, *_ = model("nano", replace(BOTH, engines=2), 3)
    image, tapes = image_of(golden, build)
    with Session(build, sim) as session:
        assert len(session.caches) == 2
        for cache in session.caches:
            cache.behave(**BEHAVIOURS[1])
        assert session.boot(image, tapes) == NONE
        prompts = [[5, 9, 11, 3], [8, 4]]
        found = [session.generate(prompt, 6, seq) for seq, prompt in enumerate(prompts)]
        told = [[beat["token"] for beat in sequence] for sequence in found]
        alone = [[beat["token"] for beat in session.generate(prompt, 6)] for prompt in prompts]
        assert told == alone and all(len(tokens) > 2 for tokens in told)
        wanted = job(golden, 3, 4)
        assert tell(session, golden, wanted).tokens
        assert all(cache.seen("sent") > 0 and cache.seen("answered") > 0 for cache in session.caches)


@pytest.mark.bus
def test_a_memory_that_fails():
    """SLVERR or DECERR on a beat or an answer that a sequence needs: the code, no hang; the next sequence is right."""
    golden, image, tapes = model("nano", BOTH, 5)
    rng, faults = np.random.default_rng(5), 40
    codes = {SLVERR: (SLAVE_ERROR, WRITE_SLAVE_ERROR), DECERR: (DECODE_ERROR, WRITE_DECODE_ERROR)}
    with Session(BOTH) as session:
        (cache,) = session.caches
        cache.behave(latency=(1, 20), refresh=None)
        assert session.boot(image, tapes) == NONE
        begun = cache.seen("made"), cache.seen("offered")
        tell(session, golden, job(golden, 5, 6))
        needed = cache.seen("made") - begun[0], cache.seen("offered") - begun[1]
        for turn in range(faults):
            writing, code = turn % 2, int(rng.choice((SLVERR, DECERR)))
            number = cache.seen("offered" if writing else "made") + int(rng.integers(0, needed[writing] // 2))
            cache.behave(**{"write_faults" if writing else "faults": {number: code}})
            assert session.boot(image, tapes) == NONE
            with pytest.raises(SimulationError, match="the decoder has stopped: ") as caught:
                list(session.generate([5, 6, 7], 6))
            assert MEANING[codes[code][writing]] in str(caught.value)
            cache.behave(faults={}, write_faults={})
            assert session.boot(image, tapes) == NONE
            tell(session, golden, job(golden, 5, 6))


@pytest.mark.bus
@pytest.mark.parametrize("sim", SESSIONS[1:])
def test_the_same_cycles_in_every_simulator(sim):
    """Memories of a latency and nothing at random: all fields of all beats with their cycles."""
    golden, image, tapes = model("nano", BOTH, 11)
    found = []
    for name in (SESSIONS[0], sim):
        with Session(BOTH, name, dram=Dram(33, 0)) as session:
            assert session.boot(image, tapes) == NONE
            (outcome,) = run_group(session, [job(golden, 11, 3)], lambda *_: None)
            counts = [session.caches[0].seen(count) for count in ("sent", "answered")]
            found.append((outcome.tokens, outcome.finish["counters"], outcome.finish["cycles"], counts))
    assert found[0] == found[1] and min(counts) > 0


def test_ports_are_those_of_the_build():
    for build, other in ((BUILD, replace(BUILD, cache=None)), (replace(BUILD, cache=None), BUILD)):
        with pytest.raises((ConfigError, HierarchyError), match="has other ports"):
            decoder(**ports(build) | dict(CFG=other))
