"""The whole decoder against the integer model: tokens, every tap, several models and sequences in one simulation."""

import json
from dataclasses import replace

import numpy as np
import pytest

from golden.checkpoint import random_checkpoint
from golden.fixed_model import FixedModel
from host.simulate import Job, run
from host.taps import split
from rtl import errors
from rtl.config import ModelShape
from rtl.decode.decode_loop import STOP_CONTEXT, STOP_ERROR, STOP_STEPS, STOP_TOKEN
from rtl.presets import preset
from tb.runner import SIMULATORS
from weights.quantise import quantise_checkpoint
from weights.tape import boot_image, write_tape

# head ratios, classifier and hidden size that differ from the build's own
NANO_SHAPES = {
    "nano": (preset("nano").shape, True),
    "equal heads, untied": (ModelShape(8, 22, 1, 2, 2, 29, 12), False),
    "one key head": (ModelShape(16, 9, 2, 4, 1, 32, 16), True),
}
WIDE_SHAPES = {
    "8 query heads a key head": (ModelShape(64, 100, 2, 8, 1, 96, 64), True),
    "equal heads": (ModelShape(64, 172, 1, 8, 8, 80, 64), True),
    "untied classifier": (ModelShape(48, 192, 2, 6, 2, 512, 64), False),
    "hidden size no multiple of the lanes": (ModelShape(32, 131, 3, 2, 2, 64, 32), True),
}


def model(shape, shared, seed, build, tmp_path):
    """A random model: its golden model and its tape file."""
    weights = quantise_checkpoint(random_checkpoint(shape, seed, shared), gptq=False)
    path = tmp_path / f"{seed}.tape"
    write_tape(path, boot_image(weights, build))
    return FixedModel(weights, build), str(path)


def compare(golden, job, outcome):
    """Every prediction, and every value of every tap; returns how many values were compared."""
    assert outcome.boot is None or outcome.boot["error"] == errors.NONE
    golden.reset()
    compared, token = 0, job.prompt[0]
    for pos, beat in enumerate(outcome.tokens):
        taps = {}
        logits = golden.forward(token, pos, taps)
        if pos in job.taps:
            with open(job.taps[pos]) as file:
                seen = split(json.load(file), golden.shape)
            assert seen.keys() == taps.keys()
            for key, values in taps.items():
                assert np.array_equal(seen[key], values), (key, pos)
                compared += values.size
        assert beat["pos"] == pos
        assert beat["token"] == int(np.argmax(logits)), pos
        token = job.prompt[pos + 1] if pos + 1 < len(job.prompt) else beat["token"]
    return compared


def taps_at(positions, tmp_path, name):
    return {pos: str(tmp_path / f"{name}-{pos}.json") for pos in positions}


def tap_values(shape):
    """Number of values of all taps of one token."""
    return shape.n_layers * (2 * shape.kv_dim + 4 * shape.dim + shape.hidden_dim) + shape.vocab_size


def check_models(shapes, build, sim, tmp_path, positions):
    """Each model boots in turn and runs two sequences, of several and of one prompt token; all taps are compared."""
    jobs, goldens = [], []
    for seed, (shape, shared) in enumerate(shapes.values()):
        golden, tape = model(shape, shared, seed, build, tmp_path)
        prompt = np.random.default_rng(seed).integers(3, shape.vocab_size, 4).tolist()
        jobs.append(Job(prompt, positions, tape, taps_at(range(positions), tmp_path, f"{seed}a")))
        jobs.append(Job(prompt[:1], 2, None, taps_at((0, 1), tmp_path, f"{seed}b")))
        goldens += [golden, golden]
    for golden, job, outcome in zip(goldens, jobs, run(build, sim, jobs), strict=True):
        assert len(outcome.tokens) == job.steps or outcome.tokens[-1]["stop"] == STOP_TOKEN
        assert compare(golden, job, outcome) == len(outcome.tokens) * tap_values(golden.shape) > 0


@pytest.mark.parametrize("sim", SIMULATORS)
def test_nano(sim, tmp_path):
    """Several models on the nano build, one simulation, every position tapped."""
    check_models(NANO_SHAPES, preset("nano").build, sim, tmp_path, positions=8)


@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the 64-lane decoder is run in Verilator")
def test_default_build(tmp_path):
    """Several head ratios and sizes on the default build, one simulation, every position tapped."""
    check_models(WIDE_SHAPES, preset("default").build, "verilator", tmp_path, positions=6)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_ends_and_errors(sim, tmp_path):
    """Steps, context and error stops; after a token out of range the next sequence runs right, and the flag clears."""
    build = preset("nano").build
    golden, tape = model(preset("nano").shape, True, 11, build, tmp_path)
    shape = golden.shape
    good, wrong = [5, 9, 3], [5, shape.vocab_size, 7]
    jobs = [
        Job(good, 5, tape),
        Job(wrong, 5),
        Job(good, 5),
        Job([4] * shape.seq_len + [5], 16),
        Job([4], shape.seq_len),
    ]
    first, bad, again, long, full = run(build, sim, jobs)
    for outcome, job in ((first, jobs[0]), (again, jobs[2]), (full, jobs[4])):
        compare(golden, job, outcome)
    assert first.tokens[-1]["stop"] in (STOP_STEPS, STOP_TOKEN)
    assert bad.tokens[-1]["stop"] == STOP_ERROR and bad.tokens[-1]["error"] == errors.BAD_TOKEN
    assert bad.tokens[-1]["token"] == shape.vocab_size and len(bad.tokens) == 2
    assert again.predictions == first.predictions and again.tokens[-1]["error"] == errors.NONE
    assert len(long.tokens) == shape.seq_len and long.tokens[-1]["error"] in (errors.NONE, errors.TOO_LONG)
    assert full.tokens[-1]["stop"] in (STOP_CONTEXT, STOP_STEPS, STOP_TOKEN)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_weight_beats(sim, tmp_path):
    """Weight beats are the shape's floor for every position, none lost and none twice."""
    build = preset("nano").build
    golden, tape = model(preset("nano").shape, True, 12, build, tmp_path)
    (outcome,) = run(build, sim, [Job([5, 6, 7, 8, 9, 10], 6, tape)])
    assert outcome.counted("weights") == golden.shape.beats(build.lanes) * len(outcome.tokens)


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
    golden, job = FixedModel(weights, build), Job([5, 6, 7, 8], 4, str(path), taps_at(range(4), tmp_path, "loud"))
    (outcome,) = run(build, sim, [job])
    assert compare(golden, job, outcome) == len(outcome.tokens) * tap_values(shape)
    counted = outcome.counted("saturations")
    print(f"{counted} saturations")
    assert counted == golden.saturations.count > 0


def test_comparison_can_fail(tmp_path):
    """A scoreboard that compares against another model must see the difference."""
    build = preset("nano").build
    golden, tape = model(preset("nano").shape, True, 13, build, tmp_path)
    other, _ = model(preset("nano").shape, True, 14, build, tmp_path)
    job = Job([5, 6, 7], 3, tape, taps_at((0,), tmp_path, "x"))
    (outcome,) = run(build, SIMULATORS[0], [job])
    assert compare(golden, job, outcome) == tap_values(golden.shape)
    with pytest.raises(AssertionError):
        compare(other, job, outcome)


@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the narrow build is run in Verilator")
def test_narrow_activations(tmp_path):
    """Activations and keys of 8 bits: half the multipliers' width, exponents up to 24."""
    build = replace(preset("nano").build, act_bits=8, key_bits=8)
    check_models({"nano": NANO_SHAPES["nano"]}, build, "verilator", tmp_path, positions=6)
