"""The measurements of one point of docs/fpga.md: its area, its routed speed, its cycles a token."""

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.hdl.progress import Progress
from llama2_myhdl.host.bench_machine import RANDOM_SEED, SIM, check
from llama2_myhdl.host.bench_scenarios import EARLY, Stories
from llama2_myhdl.host.fpga_points import Point
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.sim.jobs import Job, run
from llama2_myhdl.syn import pnr, synth
from llama2_myhdl.syn.targets import ECP5, TARGETS
from llama2_myhdl.weights.cache import FOLDER
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image, write_tape

FIRST_TOKEN = 1  # beginning of a text
SPEED = ("fmax_mhz", "seed", "target_mhz", "slowest_mhz", "seeds")  # what is kept of routed designs


def area(point: Point, say: Progress) -> dict:
    """What Yosys makes of it: verilog, resources, levels, faults."""
    result = synth.synthesize(point.subject, TARGETS[point.target], say)
    worst = result.paths[0]
    return dict(verilog=result.sources.digest, resources=result.resources.total, levels=worst.levels,
                carries=worst.carries, faults=result.faults)  # fmt: skip


def speed(point: Point, verilog: str) -> dict:
    """fmax_mhz, seed and target_mhz of the fastest run in which this Verilog was routed, slowest_mhz of so many seeds;
    nothing when it has not been."""
    figures = pnr.best(point.subject.name, verilog) if point.target == ECP5.name else None
    return {name: figures[name] for name in SPEED} if figures else {}


def cycles(point: Point, say: Progress) -> dict:
    """Cycles a token over the first positions of a story told freely, each token equal to the integer model's.

    The weights are random, on which nothing depends but the words. Raises SimulationError.
    """
    weights = quantise_checkpoint(random_checkpoint(point.shape, RANDOM_SEED), gptq=False)
    tape = FOLDER / f"fpga-{point.subject.name}.tape"
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_tape(tape, boot_image(weights, point.build))
    steps = min(EARLY, point.shape.seq_len)
    job = Job([FIRST_TOKEN], steps, str(tape))
    (outcome,) = run(point.build, SIM, [job], say=say)
    check(Stories(FixedModel(weights, point.build)), job, outcome)
    taken = outcome.cycles_per_position
    return dict(cycles=sum(taken) / len(taken), positions=len(taken))


