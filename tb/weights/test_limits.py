"""Weights too large or too small for the formats, and every field of the tape: refused in one line, or right."""

import struct
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.field import fitted
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.spec.config import ConfigError, ModelShape
from llama2_myhdl.spec.constants import Gain
from llama2_myhdl.spec.limits import EXPONENT_MIN, gain_exponent_max
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.quantised import LAYER_MATRICES, QuantisedMatrix
from llama2_myhdl.spec.registers import REGISTERS, WORD, register_limits, register_values
from llama2_myhdl.weights import quantise, tape
from llama2_myhdl.weights.calibrated import quantise_calibrated
from llama2_myhdl.weights.folding import exponent_limits, quantise_gain
from llama2_myhdl.weights.quantise import quantise_checkpoint, round_to_nearest
from llama2_myhdl.weights.rows import quantise_rows
from llama2_myhdl.weights.tape import boot_image, matrix_beats, vector_beats

SHAPE, BUILD = preset("nano").shape, preset("nano").build
NORMS = ("rms_att", "rms_ffn", "rms_final")
TENSORS = ("token_embedding", "classifier", *LAYER_MATRICES, *NORMS)
TOKENS = [1, 5, 6, 7]


@pytest.fixture(autouse=True)
def no_warnings():
    """A warning of numpy's would be a second line in front of the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def scaled(factor, *names, place=...):
    """A random model with some of its weights times `factor`, classifier unshared."""
    checkpoint = random_checkpoint(SHAPE, 1, shared=False)
    tensors = {name: getattr(checkpoint, name).copy() for name in names or TENSORS}
    for tensor in tensors.values():
        tensor[place] = (tensor[place].astype(np.float64) * factor).astype(np.float32)
    return replace(checkpoint, **tensors)


def refusal(function, *arguments, **options):
    """The one line of a ModelError."""
    with pytest.raises(ModelError) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def runs(checkpoint, gptq):
    """Quantise, pack and decode; returns the weights."""
    weights = quantise_checkpoint(checkpoint, gptq=gptq)
    boot_image(weights, BUILD)
    model = FixedModel(weights, BUILD)
    for position, token in enumerate(TOKENS):
        assert np.abs(model.forward(token, position)).max() < 1 << 31
    return weights


# --- weights that are too large


@pytest.mark.parametrize("gptq", [True, False])
@pytest.mark.parametrize(
    ("name", "place", "what", "limit"),
    [
        ("w1", (1, 17), "w1[layer 1] row 17", "at most 88.03 "),  # 127 / log2(e)
        ("wq", (0, 3), "wq[layer 0] row 3", "at most 176.06 "),  # 127 * sqrt(head size) / log2(e)
        ("w3", (1, 0), "w3[layer 1] row 0", "at most 183.22 "),  # 127 * log2(e)
        ("w2", (0, 15), "w2[layer 0] row 15", "at most 127 "),
        ("wk", (1, 7), "wk[layer 1] row 7", "at most 127 "),
        ("wv", (1, 7), "wv[layer 1] row 7", "at most 127 "),
        ("wo", (1, 7), "wo[layer 1] row 7", "at most 127 "),
        ("classifier", (31,), "classifier row 31", "at most 127 "),
        ("token_embedding", (30,), "token_embedding row 30", "at most 1016 "),  # 127 * 2**3
    ],
)
def test_one_row_too_large(name, place, what, limit, gptq):
    checkpoint = scaled(3000, name, place=place)
    line = refusal(quantise_checkpoint, checkpoint, gptq=gptq)
    peak = np.abs(getattr(checkpoint, name)[place]).max()
    assert line == f"{what}: must be {limit}in magnitude, is {peak:.5g}"


@pytest.mark.parametrize("gptq", [True, False])
@pytest.mark.parametrize("factor", [1e4, 1e15, 1e30, 3e37])
def test_all_too_large(factor, gptq):
    assert "must be at most" in refusal(quantise_checkpoint, scaled(factor), gptq=gptq)


@pytest.mark.parametrize("factor", [300, 1e5, 1e38])
@pytest.mark.parametrize("name", TENSORS)
def test_one_tensor_too_large(name, factor):
    """It runs, or one line says why not; and no other tensor is blamed but the rows behind large gains."""
    for gptq in (True, False):
        try:
            runs(scaled(factor, name), gptq)
            assert factor == 300
        except ModelError as error:
            assert "\n" not in str(error)
            assert str(error).startswith(name) or f"behind the large gains of {name}" in str(error)


def test_refused_before_anything_heavy(monkeypatch):
    monkeypatch.setattr(quantise, "sample_texts", None)
    monkeypatch.setattr(quantise, "quantise_calibrated", None)
    assert "w2[layer 0] row 0" in refusal(quantise_checkpoint, scaled(1e5, "w2"))


def test_not_finite():
    """Only a program can make such a checkpoint; the reader refuses it."""
    for value in (np.inf, -np.inf, np.nan):
        for name, what in (("wq", "wq[layer 1] row 2"), ("rms_ffn", "rms_ffn[layer 1] element 2")):
            checkpoint = scaled(1, name)
            getattr(checkpoint, name)[1, 2] = value
            assert what in refusal(quantise_checkpoint, checkpoint)


@pytest.mark.parametrize("name", ["token_embedding", "classifier", *LAYER_MATRICES])
def test_up_to_the_limit(name):
    """A row whose largest weight is at the limit keeps it to half a step; beyond it the row is refused."""
    checkpoint = scaled(1, name)
    layer = None if getattr(checkpoint, name).ndim == 2 else 1
    low, high = exponent_limits(checkpoint, name, layer).values()
    assert (low, high) == ((-20, 3) if name == "token_embedding" else (-64, 0))
    factor = quantise.fold_factor(name, SHAPE)
    limit, place = 127 * 2.0**high / factor, (5, 1) if layer is None else (layer, 5, 1)
    getattr(checkpoint, name)[place] = np.nextafter(np.float32(limit), np.float32(0))
    weights = runs(checkpoint, gptq=False)
    matrix = getattr(weights, {"token_embedding": "embedding"}.get(name, name))
    matrix = matrix if layer is None else matrix[layer]
    assert (matrix.mantissa[5, 1], matrix.exponent[5]) == (127, high)
    runs(checkpoint, gptq=True)
    getattr(checkpoint, name)[place] = limit * 1.001
    assert "row 5" in refusal(quantise_checkpoint, checkpoint)


def test_refit_beyond_the_limit():
    """With rows at the limit the refit asks for more than fits: such rows are rounded as they are."""
    checkpoint = scaled(1)
    for name in ("w2", "wo", "w1"):
        tensor = getattr(checkpoint, name)
        peaks = np.abs(tensor).max(axis=2, keepdims=True)
        tensor *= 127 / quantise.fold_factor(name, SHAPE) / peaks * (1 - 1e-6)
    runs(checkpoint, gptq=True)
    embedding = quantise_rows(checkpoint.token_embedding, **quantise.embedding_limits(8))
    tokens = quantise.default_calibration(checkpoint)
    weights = quantise_calibrated(checkpoint, embedding, tokens)  # of the weights as they are
    for name in ("w2", "wo", "w1"):
        for matrix, w in zip(getattr(weights, name), getattr(checkpoint, name)):
            exact = w * quantise.fold_factor(name, SHAPE)
            assert np.abs(matrix.dequantise() - exact).max() < 0.25 * np.abs(exact).max()


def test_floats_that_overflow():
    """The float model, by itself and in calibration, says where; its squares do not overflow quietly to zeros."""
    tokens = np.array([TOKENS])
    assert "float model, layer 0" in refusal(FloatModel(scaled(1e20, "wo", "wv")).forward_all, tokens)
    assert "float model, embedding" in refusal(FloatModel(scaled(1e25, "token_embedding")).forward_all, tokens)
    assert "float model, logits" in refusal(FloatModel(scaled(1e19, "classifier", "rms_final")).forward_all, tokens)
    embedding = quantise_rows(scaled(1).token_embedding)
    line = refusal(quantise_calibrated, scaled(1e18, "rms_ffn"), embedding, tokens)
    assert line.startswith("calibration, inputs of w1[layer 0]: must be at most 3.6e+16 in magnitude, is ")
    assert "calibration" in refusal(quantise_calibrated, scaled(1e15, "w1", "w3"), embedding, tokens)


# --- weights that are small


@pytest.mark.parametrize("gptq", [True, False])
@pytest.mark.parametrize("factor", [1e-6, 1e-15, 1e-30, 1e-44, 0])
def test_tiny_weights_run(factor, gptq):
    weights = runs(scaled(factor), gptq)
    for name in LAYER_MATRICES:
        for matrix in getattr(weights, name):
            assert EXPONENT_MIN <= matrix.exponent.min() and matrix.exponent.max() <= 0


@pytest.mark.parametrize("gptq", [True, False])
def test_zero_rows_run(gptq):
    for name in TENSORS:
        runs(scaled(0, name), gptq)
        runs(scaled(0, name, place=(slice(None), 3) if name != "rms_final" else 3), gptq)


# --- gains


@pytest.mark.parametrize("name", NORMS)
def test_gain_near_the_end_of_float32(name):
    checkpoint = scaled(1, name)
    place = (5,) if name == "rms_final" else (1, 5)
    getattr(checkpoint, name)[place] = 2.0**125
    line = refusal(quantise_checkpoint, checkpoint)
    what = "rms_final" if name == "rms_final" else f"{name}[layer 1]"
    assert line == f"{what} element 5: must be at most 2.3611e+21 in magnitude, is 4.2535e+37"


def test_large_gains_ask_for_small_rows():
    line = refusal(quantise_checkpoint, scaled(1e6, "rms_ffn"))
    assert line.startswith("w1[layer 0] row 0: must be at most 0.0053") and "behind the large gains of rms_ffn" in line


@pytest.mark.parametrize("power", [10, 30, 50])
def test_large_gains_with_small_rows_are_the_same_model(power):
    """2**n in the gains and 2**-n in all rows behind them: what the matvec puts out stays the same, bit for bit."""
    plain = scaled(1)
    moved = {name: getattr(plain, name) * np.float32(2.0**power) for name in NORMS}
    rows = ("wq", "wk", "wv", "w1", "w3", "classifier")
    moved |= {name: getattr(plain, name) * np.float32(2.0**-power) for name in rows}
    first, second = (
        FixedModel(quantise_checkpoint(model, gptq=False), BUILD) for model in (plain, replace(plain, **moved))
    )
    assert first.weights.rms_final.exponent + power == second.weights.rms_final.exponent
    for position, token in enumerate(TOKENS):
        np.testing.assert_array_equal(first.forward(token, position), second.forward(token, position))


def test_the_matvec_never_shifts_left():
    """Whatever the gains, rows at the largest exponent that they leave are still narrowed to the right."""
    for eps in (2.0**-33, 1e-9, 1e-5, 0.05):
        model = random_checkpoint(replace(SHAPE, norm_eps=eps), 1)
        for power in (0, 4, 20, 60):
            gains = model.rms_final * np.float32(2.0**power)
            high = exponent_limits(replace(model, rms_final=gains), "classifier")["high"]
            _, exponent = quantise_gain(gains, SHAPE.dim)
            scale = exponent + 6 - 16  # as in spec.limits.largest_exponent_sum, where the vector is not small
            assert high + scale <= 0


# --- what a program could make without the quantiser


@pytest.fixture(scope="module")
def weights():
    return round_to_nearest(random_checkpoint(SHAPE, 1))


def raised(matrix, row, exponent):
    changed = matrix.exponent.copy()
    changed[row] = exponent
    return QuantisedMatrix(matrix.mantissa, changed)


def test_exponents_of_quantised_weights(weights):
    """Golden model and packer get none that the hardware has not; the packer looks again."""
    for exponent in (1, -65, 3):
        layers = (weights.w1[0], raised(weights.w1[1], 17, exponent))
        line = refusal(replace, weights, w1=layers)
        assert line == f"w1[layer 1] exponent of row 17: must be -64 to 0, is {exponent}"
    line = refusal(replace, weights, embedding=raised(weights.embedding, 4, 4))
    assert line == "embedding exponent of row 4: must be -20 to 3, is 4"
    line = refusal(replace, weights, classifier=raised(weights.classifier, 4, 1))
    assert line == "classifier exponent of row 4: must be -64 to 0, is 1"
    large = tuple(Gain(gain.mantissa, gain.exponent + 100) for gain in weights.rms_att)
    line = refusal(replace, weights, rms_att=large)
    assert line.startswith(f"rms_att[layer 0] exponent: must be -128 to {gain_exponent_max(SHAPE)}, is 10")


# --- every field of tape and boot image


def test_fields():
    for dtype, low, high in (("i1", -128, 127), ("<i2", -(1 << 15), (1 << 15) - 1), ("<u4", 0, (1 << 32) - 1)):
        np.testing.assert_array_equal(fitted([low, high], dtype, "x"), [low, high])
        assert fitted(high, dtype, "x").tobytes() == int(high).to_bytes(np.dtype(dtype).itemsize, "little")
        for value in (low - 1, high + 1, 1 << 40, -(1 << 40), 1 << 70):
            assert refusal(fitted, value, dtype, "x") == f"x: must be {low} to {high}, is {value}"
            assert refusal(fitted, [low, value], dtype, "x") == f"x 1: must be {low} to {high}, is {value}"
    assert refusal(fitted, [[1, 2], [3, 9]], "i1", "x", -2, 8) == "x 1, 1: must be -2 to 8, is 9"
    assert refusal(fitted, 200, "i1", "x", -200, 200) == "x: must be -128 to 127, is 200"


def test_matrix_fields():
    exponent, mantissa = np.zeros(6, np.int64), np.ones((6, 5), np.int64)
    assert refusal(matrix_beats, QuantisedMatrix(mantissa, exponent + [0, 0, 1, 0, 0, 0]), BUILD) == (
        "exponent of row 2: must be -128 to 0, is 1"
    )
    assert "exponent of row 0: must be -128 to 0, is -129" in refusal(
        matrix_beats, QuantisedMatrix(mantissa, exponent - 129), BUILD
    )
    mantissa[3, 4] = 128
    assert "row, column 3, 4: must be -128 to 127, is 128" in refusal(
        matrix_beats, QuantisedMatrix(mantissa, exponent), BUILD
    )


def test_gain_fields():
    assert refusal(vector_beats, quantise_gain(np.full(16, 2.0**126), 16), BUILD) == (
        "exponent of norm gains: must be -128 to 127, is 129"
    )
    smallest = quantise_gain(np.full(16, 2.0**-149), 16)  # of float32, times sqrt(16), at exponent -128
    beats = vector_beats(smallest, BUILD)
    assert beats[0, :1].view(np.int8)[0] == -128
    np.testing.assert_array_equal(beats[1:].reshape(-1).view("<i2"), np.full(16, round(2.0 ** (-149 + 2 + 15 + 128))))


def test_embedding_fields(weights):
    table = weights.embedding
    assert "embedding row 5: must be -20 to 3, is 4" in refusal(tape.embedding_rows, raised(table, 5, 4), BUILD)


@pytest.mark.parametrize("name", REGISTERS)
def test_register_fields(name, weights, monkeypatch):
    """No register of the boot image takes a value beyond its own limits."""
    low, high = register_limits(BUILD)[name]
    for value in (low - 1, high + 1, high + (1 << WORD), -(1 << WORD)):
        changed = register_values(SHAPE, BUILD) | {name: value}
        monkeypatch.setattr(tape, "register_values", lambda shape, build, stops, changed=changed: changed)
        assert refusal(boot_image, weights, BUILD) == f"register {name}: must be {low} to {high}, is {value}"


def test_frequency_fields(weights, monkeypatch):
    monkeypatch.setattr(ModelShape, "frequencies", property(lambda shape: [1 << 32] * (shape.head_dim // 2)))
    assert refusal(boot_image, weights, BUILD) == "RoPE frequency 0: must be 0 to 4294967295, is 4294967296"


def test_tape_of_any_theta_and_epsilon(weights):
    """All that a shape may say fits."""
    for theta in (1.0 + 1e-9, 1e4, 1e300):
        for eps in (2.0**-33 / SHAPE.dim, 1e-5, (1 - 2.0**-32) / SHAPE.dim):
            shape = replace(SHAPE, rope_theta=theta, norm_eps=eps)
            image = boot_image(replace(weights, shape=shape), BUILD)
            term = struct.unpack("<I", image.beats[REGISTERS.index("eps_term"), :4].tobytes())[0]
            assert term == int(SHAPE.dim * eps * 2**32 + 0.5) >= 1


@pytest.mark.parametrize("product", [1.0, 1 - 2.0**-34, 2.0**-34, 3.0])
def test_epsilon_that_does_not_fit_its_register(product):
    with pytest.raises(ConfigError, match=r"^dim \* norm_eps: must be at least 1.16e-10 and below 1 .*, is "):
        ModelShape(16, 24, 2, 4, 2, 32, 16, norm_eps=product / 16)


# --- the command


@pytest.mark.parametrize(
    ("factor", "names", "words"),
    [
        (3000, ("w1",), "w1[layer 0] row 0: must be at most 88.03"),
        (1e38, ("rms_ffn",), "rms_ffn[layer 0] element 0: must be at most 2.3611e+21"),
        (1e30, (), "must be at most"),
    ],
)
def test_command(factor, names, words, tmp_path):
    model, output = tmp_path / "model.bin", tmp_path / "x.tape"
    write_checkpoint(scaled(factor, *names), model)
    command = [sys.executable, "-m", "llama2_myhdl.weights.pack", model, output, "--config", "nano"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert result.returncode == 2 and not result.stdout and not output.exists()
    assert result.stderr.count("\n") == 1 and words in result.stderr
