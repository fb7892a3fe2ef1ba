"""Quantising takes seconds to minutes: keep the result beside the simulator builds, keyed by model file and code."""

import hashlib
import io
from pathlib import Path

import numpy as np

from llama2_myhdl.golden.checkpoint import read_checkpoint
from llama2_myhdl.golden.files import write_whole
from llama2_myhdl.golden.folders import GENERATED, PROJECT
from llama2_myhdl.rtl.config import BuildConfig
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.quantised import LAYER_MATRICES, QuantisedCheckpoint
from llama2_myhdl.weights.rows import QuantisedMatrix
from llama2_myhdl.weights.tape import boot_image, write_tape

# what the integer weights depend on, and what the tape does besides
_MODULES = ("calibrated", "gptq", "quantise", "quantised", "rows")
QUANTISER = (*(f"weights/{name}.py" for name in _MODULES), "golden/**/*.py")
PACKER = (*QUANTISER, "weights/tape.py", "rtl/config.py", "rtl/layer/program.py", "rtl/boot/registers.py")
FOLDER = GENERATED / "weights"
_SINGLE = ("embedding", "classifier")
_GAINS = ("rms_att", "rms_ffn", "rms_final")


def _key(path: Path, code: tuple[str, ...]) -> str:
    """Changes with the checkpoint and with the code."""
    digest = hashlib.sha256(path.read_bytes())
    for source in sorted(file for pattern in code for file in PROJECT.glob(pattern)):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _pack(weights: QuantisedCheckpoint) -> dict:
    arrays = {name: getattr(weights, name) for name in _GAINS}
    for name in _SINGLE + LAYER_MATRICES:
        value = getattr(weights, name)
        matrices = (value,) if name in _SINGLE else value
        arrays[f"{name}.mantissa"] = np.stack([m.mantissa for m in matrices])
        arrays[f"{name}.exponent"] = np.stack([m.exponent for m in matrices])
    return arrays


def _unpack(shape, arrays) -> QuantisedCheckpoint:
    fields = {name: arrays[name] for name in _GAINS}
    for name in _SINGLE + LAYER_MATRICES:
        pairs = zip(arrays[f"{name}.mantissa"], arrays[f"{name}.exponent"])
        matrices = tuple(QuantisedMatrix(m, e) for m, e in pairs)
        fields[name] = matrices[0] if name in _SINGLE else matrices
    return QuantisedCheckpoint(shape=shape, **fields)


def quantised(model, folder: Path = FOLDER) -> QuantisedCheckpoint:
    """The quantised checkpoint of a file, from the cache when it is there. Errors of `read_checkpoint` pass."""
    checkpoint = read_checkpoint(model)
    stored = folder / f"{_key(Path(model), QUANTISER)}.npz"
    if not stored.exists():
        weights = quantise_checkpoint(checkpoint)
        folder.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez(buffer, **_pack(weights))
        write_whole(stored, [buffer.getvalue()])
    with np.load(stored) as arrays:
        return _unpack(checkpoint.shape, arrays)


def tape_file(model, weights: QuantisedCheckpoint, build: BuildConfig, folder: Path = FOLDER) -> Path:
    """The model's tape file for a build, written once; ConfigError when the model does not fit."""
    build.check(weights.shape)
    path = folder / f"{_key(Path(model), PACKER)}-{build.lanes}-{build.hidden_block}-{build.engines}.tape"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_tape(path, boot_image(weights, build))
    return path
