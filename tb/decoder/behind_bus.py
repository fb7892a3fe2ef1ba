"""Models, sequences and memories for a decoder that reads over a bus."""

import numpy as np

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.sim.jobs import Job, run_group
from llama2_myhdl.weights.memory import memory_image
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image
from tb.decoder.comparison import NANO_SHAPES, compare, tap_values

POSITIONS = 6
# what a memory may do
QUICK = dict(latency=(1, 1), stalls=dict(ar=0.0, r=0.0), refresh=None, interleaved=False)
STORM = dict(latency=(1, 90), stalls=dict(ar=0.4, r=0.3), refresh=(200, 20), interleaved=True)
SLOW = STORM | dict(latency=(200, 400))


def model(name, build, seed):
    """A random model of a shape of the nano build: the integer model, boot image and what lies in memory."""
    shape, shared = NANO_SHAPES[name]
    weights = quantise_checkpoint(random_checkpoint(shape, seed, shared), gptq=False)
    return FixedModel(weights, build), boot_image(weights, build), memory_image(weights, build)


def tell(session, golden, job):
    """A sequence of a model that is booted; every tap is compared, and every field of every beat."""
    (outcome,) = run_group(session, [job], lambda *_: None)
    assert compare(golden, job, outcome) == len(job.taps) * tap_values(golden.shape) > 0
    assert outcome.counted("weights") == len(outcome.tokens) * golden.shape.beats(session.build.lanes)
    return outcome


def job(golden, seed, positions=POSITIONS):
    prompt = np.random.default_rng(seed).integers(3, golden.shape.vocab_size, 3).tolist()
    return Job(prompt, positions, None, tuple(range(positions)))
