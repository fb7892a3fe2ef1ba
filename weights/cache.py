"""Quantising takes seconds to minutes: keep the result beside the simulator builds, keyed by the model and the code."""

import hashlib
import io
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import GENERATED, PROJECT
from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.readers.model import digest_of, read_model
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.constants import Gain
from llama2_myhdl.spec.formats import WEIGHT_BITS
from llama2_myhdl.spec.quantised import LAYER_MATRICES, QuantisedCheckpoint, QuantisedMatrix
from llama2_myhdl.weights.memory import read_packed, write_packed
from llama2_myhdl.weights.quantise import quantise_checkpoint

# what the integer weights depend on, and what the tape does besides
_MODULES = ("calibrated", "folding", "gptq", "quantise", "ranges", "rows")
_ROOMS = ("golden/float*.py", "golden/sampling.py", "readers/*.py", "spec/*.py")
QUANTISER = (*(f"weights/{name}.py" for name in _MODULES), *_ROOMS)
PACKER = (*QUANTISER, "base/field.py", "weights/memory.py", "weights/tape.py")
FOLDER = GENERATED / "weights"
_DIGEST = hashlib.sha256().digest_size  # of what follows it, at the front of a stored file
_SINGLE = ("embedding", "classifier", "rms_final")
_MATRICES = ("embedding", "classifier", *LAYER_MATRICES)
_GAINS = ("rms_att", "rms_ffn", "rms_final")


def _key(path: Path, shape: ModelShape, bits: int, code: tuple[str, ...]) -> str:
    """Changes with the checkpoint, with what its file does not say of the shape, the bits of a weight, and the code."""
    digest = digest_of(path)
    digest.update(repr((float(shape.rope_theta), float(shape.norm_eps), bits)).encode())
    for source in sorted(file for pattern in code for file in PROJECT.glob(pattern)):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _pack(weights: QuantisedCheckpoint) -> dict:
    arrays = {"norm_eps": np.float64(weights.shape.norm_eps)}  # of a residual that is scaled to its range
    for name in _GAINS:
        value = getattr(weights, name)
        gains = (value,) if name in _SINGLE else value
        arrays[f"{name}.mantissa"] = np.stack([gain.mantissa for gain in gains])
        arrays[f"{name}.exponent"] = np.array([gain.exponent for gain in gains])
    for name in _MATRICES:
        value = getattr(weights, name)
        matrices = (value,) if name in _SINGLE else value
        arrays[f"{name}.mantissa"] = np.stack([m.mantissa for m in matrices])
        arrays[f"{name}.exponent"] = np.stack([m.exponent for m in matrices])
    return arrays


def _unpack(checkpoint: Checkpoint, arrays) -> QuantisedCheckpoint:
    fields = {}
    for name in _GAINS:
        gains = tuple(Gain(m, int(e)) for m, e in zip(arrays[f"{name}.mantissa"], arrays[f"{name}.exponent"]))
        fields[name] = gains[0] if name in _SINGLE else gains
    for name in _MATRICES:
        pairs = zip(arrays[f"{name}.mantissa"], arrays[f"{name}.exponent"])
        matrices = tuple(QuantisedMatrix(m, e) for m, e in pairs)
        fields[name] = matrices[0] if name in _SINGLE else matrices
    shape = replace(checkpoint.shape, norm_eps=float(arrays["norm_eps"]))
    return QuantisedCheckpoint(shape=shape, stops=checkpoint.stops, **fields)


def quantised(
    model, folder: Path = FOLDER, *, checkpoint: Checkpoint | None = None, bits: int = WEIGHT_BITS[0]
) -> QuantisedCheckpoint:
    """The quantised checkpoint of a file, with weights of so many bits, from the cache when it is there.

    checkpoint: what `read_model` made of that file, if with another `rope_theta` or `norm_eps` than it takes by
    itself, or to save reading it again. Errors of `read_model` and `quantise_checkpoint` pass.
    """
    if checkpoint is None:
        checkpoint = read_model(model)
    stored = folder / f"{_key(Path(model), checkpoint.shape, bits, QUANTISER)}.weights"
    if stored.exists():
        data = stored.read_bytes()
        if hashlib.sha256(data[_DIGEST:]).digest() == data[:_DIGEST]:
            with np.load(io.BytesIO(data[_DIGEST:])) as arrays:
                return _unpack(checkpoint, arrays)
        print(f"{stored}: damaged, is made anew", file=sys.stderr)
    weights = quantise_checkpoint(checkpoint, bits=bits)
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez(buffer, **_pack(weights))
    write_whole(stored, [hashlib.sha256(buffer.getbuffer()).digest(), buffer.getbuffer()])
    return weights


def tape_file(model, weights: QuantisedCheckpoint, build: BuildConfig, folder: Path = FOLDER) -> Path:
    """The tape file of `weights`, made of the file `model`, for a build; written once. Beside it stands what lies in
    memory, if the build has anything there: `weights.memory.read_packed` reads both.

    ConfigError when the model does not fit.
    """
    weights.check(build)
    key = _key(Path(model), weights.shape, weights.weight_bits, PACKER)
    buses = dict(bus=build.weights, rows=build.embedding)
    kind = "".join(f"-{name}{bus.data_bits}" for name, bus in buses.items() if bus)
    path = folder / f"{key}-{weights.shape.seq_len}-{build.lanes}-{build.hidden_block}-{build.engines}{kind}.tape"
    if path.exists():
        try:
            read_packed(path, build)
        except ModelError:
            print(f"{path}: damaged, is made anew", file=sys.stderr)
            path.unlink()
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_packed(path, weights, build)
    return path
