"""The whole decoder against the integer model: tokens, every tap, several models and sequences in one simulation."""

from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.sim.jobs import Job, run
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.stops import STOP_CONTEXT, STOP_ERROR, STOP_STEPS, STOP_TOKEN
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image, write_tape
from tb.decoder.builds import NANO16
from tb.decoder.comparison import NANO_SHAPES, compare, model, tap_values
from tb.sim.simulators import SESSIONS

# for the default build, as NANO_SHAPES for nano: (shape, whether embedding and classifier are one)
WIDE_SHAPES = {
    "8 query heads a key head": (ModelShape(64, 100, 2, 8, 1, 96, 64), True),
    "equal heads": (ModelShape(64, 172, 1, 8, 8, 80, 64), True),
    "untied classifier": (ModelShape(48, 192, 2, 6, 2, 512, 64), False),
    "hidden size no multiple of the lanes": (ModelShape(32, 131, 3, 2, 2, 64, 32), True),
}


def check_models(shapes, build, sim, tmp_path, positions):
    """Each model boots in turn and runs two sequences, of several and of one prompt token; all taps are compared.

    Weight beats are the shape's floor for every position: none lost, none twice.
    """
    jobs, goldens = [], []
    for seed, (shape, shared) in enumerate(shapes.values()):
        golden, tape = model(shape, shared, seed, build, tmp_path)
        prompt = np.random.default_rng(seed).integers(3, shape.vocab_size, 4).tolist()
        jobs.append(Job(prompt, positions, tape, tuple(range(positions))))
        jobs.append(Job(prompt[:1], 2, None, (0, 1)))
        goldens += [golden, golden]
    for golden, job, outcome in zip(goldens, jobs, run(build, sim, jobs), strict=True):
        assert compare(golden, job, outcome) == len(job.taps) * tap_values(golden.shape) > 0
        assert len(outcome.tokens) == len(job.taps) == job.steps
        assert outcome.counted("weights") == job.steps * golden.shape.beats(build.lanes)


@pytest.mark.long_runs(0)
@pytest.mark.parametrize("sim", SESSIONS)
def test_nano(sim, tmp_path):
    """Several models on the nano build, one simulation, every position tapped."""
    check_models(NANO_SHAPES, preset("nano").build, sim, tmp_path, positions=8)


@pytest.mark.parametrize("sim", SIMULATORS[-1:])
def test_weights_of_16_bits(sim, tmp_path):
    """The same models, rounded to 16 bits."""
    check_models(NANO_SHAPES, NANO16, sim, tmp_path, positions=8)


@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the 64-lane decoder is run in Verilator")
def test_default_build(tmp_path):
    """Several head ratios and sizes on the default build, one simulation, every position tapped."""
    check_models(WIDE_SHAPES, preset("default").build, "verilator", tmp_path, positions=6)


@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the 64-lane decoder is run in Verilator")
def test_default_build_under_cocotb(tmp_path):
    """The same under cocotb, shorter: a model whose hidden size is no multiple of the lanes."""
    name = "hidden size no multiple of the lanes"
    check_models({name: WIDE_SHAPES[name]}, preset("default").build, "verilator-cocotb", tmp_path, positions=2)


@pytest.mark.long_runs(0)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_ends_and_errors(sim, tmp_path):
    """Every way to end; after an error the next sequence runs right, and the flag clears."""
    build, shape = preset("nano").build, ModelShape(8, 22, 1, 2, 2, 29, 8)
    golden, tape = model(shape, True, 11, build, tmp_path)
    good, full = [5, 9, 3], [4] * shape.seq_len
    ends = [  # a job, its number of positions, stop and error
        (Job(good, 5, tape), 5, STOP_STEPS, errors.NONE),
        (Job([5, shape.vocab_size, 7], 5), 2, STOP_ERROR, errors.BAD_TOKEN),
        (Job(good, 5), 5, STOP_STEPS, errors.NONE),
        (Job([*full, 5], 0), shape.seq_len, STOP_ERROR, errors.TOO_LONG),
        (Job(full, 0), shape.seq_len, STOP_CONTEXT, errors.NONE),
        (Job([*full, 5], 5), 5, STOP_STEPS, errors.NONE),
        (Job([4], 0), shape.seq_len, STOP_CONTEXT, errors.NONE),
        (Job([7, 6], 0), 5, STOP_TOKEN, errors.NONE),
    ]
    outcomes = run(build, sim, [job for job, *_ in ends])
    for (job, positions, stop, error), outcome in zip(ends, outcomes, strict=True):
        compare(golden, job, outcome)
        assert [beat["last"] for beat in outcome.tokens] == (positions - 1) * [0] + [1]
        assert (outcome.tokens[-1]["stop"], outcome.finish["error"]) == (stop, error)
    assert outcomes[1].tokens[-1]["token"] == shape.vocab_size
    assert outcomes[2].predictions == outcomes[0].predictions


@pytest.mark.long_runs(0)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_saturations(sim, tmp_path):
    """Weights far too large: clipped values count, and even so every tap is the integer model's."""
    build, shape = preset("nano").build, preset("nano").shape
    checkpoint = random_checkpoint(shape, 15)
    loud = replace(
        checkpoint, w1=checkpoint.w1 * 30, w2=checkpoint.w2 * 100, wv=checkpoint.wv * 60, wo=checkpoint.wo * 60
    )
    weights = quantise_checkpoint(loud, gptq=False)
    path = tmp_path / "loud.tape"
    write_tape(path, boot_image(weights, build))
    golden, job = FixedModel(weights, build), Job([5, 6, 7, 8], 4, str(path), (0, 1, 2, 3))
    (outcome,) = run(build, sim, [job])
    assert compare(golden, job, outcome) == len(job.taps) * tap_values(shape)
    counted = outcome.counted("saturations")
    print(f"{counted} saturations")
    assert counted == golden.saturations.count > 0


def test_comparison_can_fail(tmp_path):
    """Against another model the taps differ; a wrong field of a beat, and an end that comes early, are seen."""
    build = preset("nano").build
    golden, tape = model(preset("nano").shape, True, 13, build, tmp_path)
    other, _ = model(preset("nano").shape, True, 14, build, tmp_path)
    job = Job([5, 6, 7], 3, tape, (0,))
    (outcome,) = run(build, SIMULATORS[-1], [job])
    assert compare(golden, job, outcome) == tap_values(golden.shape)
    with pytest.raises(AssertionError, match=r"\('k', 0\), 0"):
        compare(other, job, outcome)
    last = outcome.tokens.pop()
    with pytest.raises(AssertionError):
        compare(golden, job, outcome)
    outcome.tokens.append(last | dict(stop=STOP_CONTEXT))
    with pytest.raises(AssertionError):
        compare(golden, job, outcome)


@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the narrow build is run in Verilator")
def test_narrow_activations(tmp_path):
    """Activations and keys of 8 bits: half the multipliers' width, exponents up to 24."""
    build = replace(preset("nano").build, act_bits=8, key_bits=8)
    check_models({"nano": NANO_SHAPES["nano"]}, build, "verilator", tmp_path, positions=6)
