"""The quantised model, all integers: what the weight tape carries and the integer model computes with."""

from dataclasses import dataclass, replace

import numpy as np

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.field import fitted
from llama2_myhdl.spec.config import BuildConfig, ConfigError, ModelShape
from llama2_myhdl.spec.constants import Gain
from llama2_myhdl.spec.limits import exponent_limits, gain_exponent_max, norm_in_front
from llama2_myhdl.spec.stops import STOP_IDS

LAYER_MATRICES = ("wq", "wk", "wv", "wo", "w1", "w2", "w3")


@dataclass(frozen=True)
class QuantisedMatrix:
    """Rows with one power-of-two exponent each, W[r] ~ mantissa[r] * 2**exponent[r].

    Mantissas [rows, cols], int8 or int16, and int8 exponents [rows].
    """

    mantissa: np.ndarray
    exponent: np.ndarray

    @property
    def bits(self) -> int:
        """Of a mantissa."""
        return self.mantissa.dtype.itemsize * 8

    def columns(self, part: slice) -> "QuantisedMatrix":
        """Some columns of all rows, with the rows' exponents."""
        return QuantisedMatrix(self.mantissa[:, part], self.exponent)

    def dequantise(self) -> np.ndarray:
        """The matrix it stands for, float64 [rows, cols]."""
        return np.ldexp(self.mantissa.astype(np.float64), self.exponent[:, None].astype(int))


@dataclass(frozen=True)
class QuantisedCheckpoint:
    """Matrices and norm gains, one a layer in tuples; `shape` has the model's other integers (eps_term, frequencies).

    stops: tokens that end a story; only the first two (`STOP_REGISTERS`) are the hardware's for every sequence.

    wq, w1 and w3 carry a factor (`weights/folding.py`). The classifier is an image of its own even where the
    checkpoint shares it. Exponents that the hardware cannot take are a ModelError.
    """

    shape: ModelShape
    embedding: QuantisedMatrix
    rms_att: tuple[Gain, ...]
    wq: tuple[QuantisedMatrix, ...]
    wk: tuple[QuantisedMatrix, ...]
    wv: tuple[QuantisedMatrix, ...]
    wo: tuple[QuantisedMatrix, ...]
    rms_ffn: tuple[Gain, ...]
    w1: tuple[QuantisedMatrix, ...]
    w2: tuple[QuantisedMatrix, ...]
    w3: tuple[QuantisedMatrix, ...]
    rms_final: Gain
    classifier: QuantisedMatrix
    stops: tuple[int, ...] = STOP_IDS

    def __post_init__(self):
        gains = {"rms_final": self.rms_final}
        gains |= {f"{name}[layer {n}]": g for name in ("rms_att", "rms_ffn") for n, g in enumerate(getattr(self, name))}
        for name, gain in gains.items():
            fitted(gain.exponent, "i1", f"{name} exponent", high=gain_exponent_max(self.shape))
        for name in ("embedding", "classifier"):
            self._check(name, getattr(self, name))
        for name in LAYER_MATRICES:
            for layer, matrix in enumerate(getattr(self, name)):
                self._check(name, matrix, layer)

    @property
    def weight_bits(self) -> int:
        """Of the mantissas of all matrices."""
        return self.embedding.bits

    def check(self, build: BuildConfig) -> None:
        """ConfigError, naming the limit and the value, when the model does not fit a build."""
        build.check(self.shape)
        if self.weight_bits != build.weight_bits:
            raise ConfigError(f"model weight_bits: must be {build.weight_bits} in this build, is {self.weight_bits}")

    def shortened(self, context: int | None) -> "QuantisedCheckpoint":
        """See `ModelShape.shortened`."""
        return replace(self, shape=self.shape.shortened(context))

    def _check(self, name: str, matrix: QuantisedMatrix, layer: int | None = None) -> None:
        gain = getattr(self, norm) if (norm := norm_in_front(name)) else None
        if gain is not None and layer is not None:
            gain = gain[layer]
        limits = exponent_limits(self.shape, name, self.weight_bits, None if gain is None else gain.exponent)
        where = name if layer is None else f"{name}[layer {layer}]"
        if matrix.bits != self.weight_bits:
            raise ModelError(f"{where}: mantissas must have {self.weight_bits} bits, have {matrix.bits}")
        fitted(matrix.exponent, "i1", f"{where} exponent of row", **limits)
