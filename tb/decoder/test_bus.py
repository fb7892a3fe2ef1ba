"""The decoder with its weights in memory behind a bus: the integer model's values, whatever the memory does; and what
it says of a memory that fails."""

from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.hdl.ports import HierarchyError
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.rtl.decoder import decoder, ports
from llama2_myhdl.sim.dram import Dram
from llama2_myhdl.sim.jobs import run_group
from llama2_myhdl.sim.session import Session
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.axi import DECERR, SLVERR
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.errors import BAD_LENGTH, BAD_SHAPE, DECODE_ERROR, MEANING, NONE, SLAVE_ERROR
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.registers import REGISTERS
from llama2_myhdl.weights.memory import memory_image
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image
from tb.decoder.behind_bus import POSITIONS, QUICK, SLOW, STORM, job, model, tell
from tb.decoder.comparison import NANO_SHAPES
from tb.sim.simulators import SESSIONS

BUILD, CHIP = preset("nano-bus").build, preset("nano").build


@pytest.mark.parametrize("sim", [pytest.param(s, marks=pytest.mark.bus) if s == "icarus" else s for s in SESSIONS])
def test_models(sim):
    """Several models, one simulation: quick memories, then a slow one of the tapes, then stormy ones: late beats are
    stalls and no more."""
    stalls = [0, 0, 0]
    names, positions = list(NANO_SHAPES), POSITIONS
    if sim == "icarus":  # a minute for all of them
        names, positions = names[:1], 2
    with Session(BUILD, sim) as session:
        for seed, name in enumerate(names):
            golden, image, tapes = model(name, BUILD, seed)
            cycles = []
            for turn, behaviours in enumerate(((QUICK, QUICK), (SLOW, QUICK), (STORM, STORM))):
                for memory, behaviour in zip(session.memories, behaviours, strict=True):
                    memory.behave(**behaviour)
                assert session.boot(image, tapes) == NONE
                outcome = tell(session, golden, job(golden, seed, positions))
                stalls[turn] += outcome.counted("tape")
                cycles.append(sum(outcome.cycles_per_position))
            assert min(cycles[1:]) > cycles[0]
    assert stalls[1] > stalls[0]


@pytest.mark.bus
def test_engines():
    """A bus for each engine, one for the head, and one for the embedding."""
    build = replace(BUILD, engines=2)
    golden, image, tapes = model("nano", build, 3)
    with Session(build, SESSIONS[-1]) as session:
        assert len(session.memories) == len(tapes) == 4
        for memory in session.memories:
            memory.behave(latency=(20, 60), refresh=None)
        assert session.boot(image, tapes) == NONE
        tell(session, golden, job(golden, 3))
        assert all(memory.seen("sent") > 0 for memory in session.memories)


@pytest.mark.bus
@pytest.mark.parametrize("which", [0, 1], ids=["tape", "embedding"])
@pytest.mark.parametrize("sim", SESSIONS[-1:])
def test_a_memory_that_fails(sim, which):
    """SLVERR or DECERR on a beat that a sequence needs: the code, no hang; after a reset the next sequence is right."""
    golden, image, tapes = model("nano", BUILD, 5)
    rng = np.random.default_rng(5)
    told, faults = 0, 30
    with Session(BUILD, sim) as session:
        memory = session.memories[which]
        for each in session.memories:
            each.behave(latency=(1, 20), refresh=None)
        assert session.boot(image, tapes) == NONE
        begun = memory.seen("made")
        tell(session, golden, job(golden, 5))
        needed = memory.seen("made") - begun
        for number in rng.integers(0, needed // 2, faults).tolist():
            code = int(rng.choice((SLVERR, DECERR)))
            memory.behave(faults={memory.seen("made") + number: code})
            assert session.boot(image, tapes) in (NONE, SLAVE_ERROR, DECODE_ERROR)
            with pytest.raises(SimulationError, match="the decoder has stopped: ") as caught:
                list(session.generate([5, 6, 7], POSITIONS))
            assert MEANING[{SLVERR: SLAVE_ERROR, DECERR: DECODE_ERROR}[code]] in str(caught.value)
            memory.behave(faults={})
            assert session.boot(image, tapes) == NONE
            told += len(tell(session, golden, job(golden, 5)).tokens)
    assert told == faults * POSITIONS


@pytest.mark.parametrize("sim", [pytest.param(s, marks=pytest.mark.bus) if s == "icarus" else s for s in SESSIONS[1:]])
def test_the_same_cycles_in_every_simulator(sim):
    """Memories of a latency and nothing at random: all fields of all beats with their cycles, and all counters."""
    golden, image, tapes = model("nano", BUILD, 11)
    found = []
    for name in (SESSIONS[0], sim):
        with Session(BUILD, name, dram=Dram(33, 0)) as session:
            assert session.boot(image, tapes) == NONE
            (outcome,) = run_group(session, [job(golden, 11, 3)], lambda *_: None)
            sent = outcome.finish["bus"][0]["sent"] - outcome.start["bus"][0]["sent"]
            found.append((outcome.tokens, outcome.finish["counters"], outcome.finish["cycles"], sent))
    assert found[0] == found[1] and sent > 0


def test_fewer_layers_than_engines():
    """A station without layers would have a region of no beats: the host refuses such a model."""
    build = replace(BUILD, engines=2)
    with pytest.raises(ConfigError, match="model n_layers: must be at least engines = 2, is 1"):
        memory_image(quantise_checkpoint(random_checkpoint(replace(preset("nano").shape, n_layers=1), 3)), build)
    with pytest.raises(ConfigError, match="engines: must be at most max_layers = 2, is 3"):
        replace(BUILD, engines=3)


@pytest.mark.bus
def test_the_hardware_refuses_fewer_layers_than_engines():
    """It asks for nothing then."""
    build = replace(BUILD, engines=2)
    _, image, tapes = model("nano", build, 3)
    beats = image.beats.copy()
    place = REGISTERS.index("layers_low")
    assert beats[place].tolist() == [1, 0, 0, 0]
    beats[place] = 0
    with Session(build, SESSIONS[0]) as session:
        assert session.boot(replace(image, beats=beats), tapes) == BAD_SHAPE
        session.sim.run(2000)
        assert [memory.seen("bursts") for memory in session.memories] == [0, 0, 0, 0]


def test_the_other_kind_of_image():
    """An image with its tapes in it is too long for such a build, and one without them too short for the others."""
    weights = quantise_checkpoint(random_checkpoint(preset("nano").shape, 1), gptq=False)
    refused = "memory: this build reads {} parts of a model there, not {}"
    with Session(BUILD, SESSIONS[0]) as session:
        assert session.boot(boot_image(weights, CHIP), memory_image(weights, BUILD)) == BAD_LENGTH
        with pytest.raises(SimulationError, match=refused.format(3, 0)):
            session.boot(boot_image(weights, BUILD))
    with Session(CHIP, SESSIONS[0]) as session:
        assert session.boot(boot_image(weights, BUILD)) == BAD_LENGTH
        with pytest.raises(SimulationError, match=refused.format(0, 3)):
            session.boot(boot_image(weights, CHIP), memory_image(weights, BUILD))


@pytest.mark.bus
@pytest.mark.parametrize("part, engines", [("weights", 2), ("embedding", 1)])
def test_one_part_in_memory(part, engines):
    """The tapes alone, or the embedding alone: the other one is in the image."""
    build = replace(CHIP, engines=engines, **{part: getattr(BUILD, part)})
    golden, image, parts = model("nano", build, 9)
    with Session(build, SESSIONS[0]) as session:
        assert session.boot(image, parts) == NONE
        assert len(session.memories) == len(parts) == dict(weights=3, embedding=1)[part]
        tell(session, golden, job(golden, 9))
        assert all(memory.seen("sent") > 0 for memory in session.memories)


def test_ports_are_those_of_the_build():
    rows = replace(CHIP, embedding=BUILD.embedding)
    for build, other, what in ((BUILD, CHIP, "weights"), (CHIP, BUILD, "weights"), (rows, CHIP, "embedding")):
        with pytest.raises((ConfigError, HierarchyError), match=f"a build with {what} .* has other ports"):
            decoder(**ports(build) | dict(CFG=other))
