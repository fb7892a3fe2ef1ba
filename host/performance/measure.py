"""A point of the model's check, simulated: every token is held against the integer model."""

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.hdl.progress import Progress, silent
from llama2_myhdl.host.bench_machine import RANDOM_SEED, check
from llama2_myhdl.host.bench_scenarios import Stories
from llama2_myhdl.host.bus_use import bus_use
from llama2_myhdl.host.figures_measure import decoder_digest, digest
from llama2_myhdl.host.performance.points import Point
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.sim.jobs import Job, run_group
from llama2_myhdl.sim.session import Session
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.weights.cache import FOLDER
from llama2_myhdl.weights.memory import write_packed
from llama2_myhdl.weights.quantise import quantise_checkpoint

FIRST_TOKEN = 1  # beginning of a text


def hardware(point: Point) -> str:
    """Changes with the Verilog of the point's build, and with the shape of its model."""
    return digest([decoder_digest(point.build).encode(), repr(point.shape).encode()])


def measure(point: Point, say: Progress = silent) -> dict:
    """figures: those of `Point.figures`; useful: bytes of weights over what the buses could bring in all cycles, where
    there are any. The weights are random, on which nothing depends but the words.

    Raises SimulationError, also when a story ends before its time.
    """
    weights = quantise_checkpoint(random_checkpoint(point.shape, RANDOM_SEED), gptq=False)
    tape = FOLDER / f"performance-{point.key.replace('/', '-')}.tape"
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_packed(tape, weights, point.build)
    stories = Stories(FixedModel(weights, point.build))
    tokens = [FIRST_TOKEN]
    if point.prompt:
        tokens = [1 + k % (point.shape.vocab_size - 1) for k in range(point.positions)]
    job = Job(tokens, point.positions, str(tape), score=not point.prompt)
    with Session(point.build, say=say, dram=point.dram) as session:
        (outcome,) = run_group(session, [job], lambda beat, *_: say("simulate", beat["pos"] + 1, point.positions))
    check(stories, job, outcome)
    cycles = outcome.cycles_per_position
    if len(cycles) != point.positions:
        raise SimulationError(f"{point.key}: the story has {len(cycles)} tokens, {point.positions} are needed")
    if not point.dram:
        return dict(figures=point.figures(cycles, 0))
    use = bus_use(point.build, point.shape, outcome, point.positions, point.positions, sum(cycles))
    sent = use["bytes_per_token"] * point.positions / point.build.weights.word_bytes
    return dict(figures=point.figures(cycles, sent), useful=use["useful"] * (1 - use["refreshed"]))
