"""Quantise layer by layer, each from what the layers before it, already rounded, really put out.

Two runs of the calibration text stay side by side: the exact model's and the rounded model's. Every matrix is first
refitted (least squares) so that on the rounded model's inputs it gives the exact model's outputs, the two that write to
the residual also making up for what the residual already lacks; then `gptq` rounds it.
"""

from dataclasses import replace

import numpy as np

from llama2_myhdl.golden.float_ops import attention, bounded, rmsnorm, rope, swiglu
from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.spec.limits import mantissa_max
from llama2_myhdl.spec.quantised import LAYER_MATRICES, QuantisedCheckpoint, QuantisedMatrix
from llama2_myhdl.weights.folding import exponent_limits, fold_factor, quantised_gains
from llama2_myhdl.weights.gptq import DAMPING, damped, damping_of, gptq

_SEQUENCES = 8  # attended at a time: bounds the memory for scores
_ROWS = 8192  # of the classifier at a time
_WORTH = 0.5  # of the error, left at most by evened columns that are taken: SmolLM2 0.40; stories260K, no gain, 0.69


@np.errstate(over="ignore", invalid="ignore")  # `bounded` looks at what comes out
def quantise_calibrated(checkpoint: Checkpoint, embedding: QuantisedMatrix, tokens: np.ndarray) -> QuantisedCheckpoint:
    """Calibrate on `tokens` [sequences, positions]; the embedding comes already rounded, to as many bits as all get.

    Raises ModelError for weights so large that floats overflow. `range_check` has seen to it that each fits by itself.
    """
    shape = checkpoint.shape
    exact = checkpoint.token_embedding[tokens].astype(np.float32)
    rounded = embedding.dequantise()[tokens].astype(np.float32)
    matrices: dict[str, list[QuantisedMatrix]] = {name: [] for name in LAYER_MATRICES}

    for layer in range(shape.n_layers):
        run = _Layer(checkpoint, layer, embedding.bits)
        exact, rounded = run.attention_half(exact, rounded)
        exact, rounded = run.ffn_half(exact, rounded)
        for name in LAYER_MATRICES:
            matrices[name].append(run.quantised[name])

    checkpoint, classifier = _classifier(checkpoint, exact, rounded, embedding.bits)
    return QuantisedCheckpoint(
        shape=shape,
        stops=checkpoint.stops,
        embedding=embedding,
        classifier=classifier,
        **quantised_gains(checkpoint),
        **{name: tuple(layers) for name, layers in matrices.items()},
    )


def even_columns(checkpoint: Checkpoint) -> Checkpoint:
    """The same model with the classifier's columns nearer in size; the gains in front of it take their factors.

    Where the classifier is the embedding, a few columns may be many times as large as the others, whose weights then
    get few of their rows' steps. The root of each column's size is taken out of it: all of it would be too much.
    """
    size = np.sqrt(np.mean(np.square(checkpoint.classifier, dtype=np.float64), axis=0))
    factor = np.sqrt(np.where(size > 0, size / max(size.max(), 1e-30), 1.0)).astype(np.float32)
    changed = dict(classifier=checkpoint.classifier / factor, rms_final=checkpoint.rms_final * factor)
    return replace(checkpoint, shared_classifier=False, **changed)


def _classifier(
    checkpoint: Checkpoint, exact: np.ndarray, rounded: np.ndarray, bits: int
) -> tuple[Checkpoint, QuantisedMatrix]:
    """The rounded classifier behind the last residuals, and the checkpoint whose last gains it goes with."""
    found = []
    for tried in (checkpoint, even_columns(checkpoint)):
        normed = [rmsnorm(x, tried.rms_final, tried.shape.norm_eps) for x in (exact, rounded)]
        matrix = _round_matrix(tried, bits, "classifier", None, *normed)
        found.append((tried, matrix, _logit_error(tried.classifier, matrix, normed[1])))
    (_, _, plain), (_, _, even) = found
    return found[even < _WORTH * plain][:2]


def _logit_error(weights: np.ndarray, matrix: QuantisedMatrix, inputs: np.ndarray) -> float:
    """Squared error that rounding leaves in the logits of all inputs."""
    inputs = inputs.reshape(-1, inputs.shape[-1]).astype(np.float64)
    hessian, total = inputs.T @ inputs, 0.0
    for first in range(0, len(weights), _ROWS):
        part = slice(first, first + _ROWS)
        wrong = QuantisedMatrix(matrix.mantissa[part], matrix.exponent[part]).dequantise() - weights[part]
        total += float(np.sum((wrong @ hessian) * wrong))
    return total


def refit(
    weights: np.ndarray,
    exact: np.ndarray,
    rounded: np.ndarray,
    owed: np.ndarray | None = None,
    damping: float = DAMPING,
) -> tuple[np.ndarray, np.ndarray]:
    """Hessian X^T X of the rounded inputs X and the weights W' that bring X W'^T nearest to exact @ W^T + owed.

    The inputs are [sequences, positions, cols]; `owed` [sequences, positions, rows] is what the residual lacks so far.
    """
    cols = exact.shape[-1]
    exact, rounded = exact.reshape(-1, cols).astype(np.float64), rounded.reshape(-1, cols).astype(np.float64)
    hessian = rounded.T @ rounded
    correlation = (rounded.T @ (exact - rounded)) @ weights.T.astype(np.float64)
    if owed is not None:
        correlation += rounded.T @ owed.reshape(len(rounded), -1)
    return hessian, weights + np.linalg.solve(damped(hessian, damping), correlation).T


def _round_matrix(
    checkpoint: Checkpoint,
    bits: int,
    name: str,
    layer: int | None,
    exact: np.ndarray,
    rounded: np.ndarray,
    owed: np.ndarray | None = None,
) -> QuantisedMatrix:
    """Refit and round a matrix. A row that the refit makes too large for its format is rounded as it was."""
    for x in (exact, rounded):
        bounded(x, f"calibration, inputs of {name}" + ("" if layer is None else f"[layer {layer}]"))
    weights = getattr(checkpoint, name) if layer is None else getattr(checkpoint, name)[layer]
    factor, limits = fold_factor(name, checkpoint.shape), exponent_limits(checkpoint, name, layer, bits)
    damping = damping_of(exact.size // exact.shape[-1], exact.shape[-1])
    hessian, refitted = refit(weights, exact, rounded, owed, damping)
    fits = np.abs(refitted * factor).max(axis=1) <= mantissa_max(bits) * 2.0 ** limits["high"]
    if not fits.all():
        refitted = np.where(fits[:, None], refitted, weights)
    return gptq(refitted * factor, hessian, damping, bits=bits, **limits)


class _Layer:
    """One layer of the exact and the rounded model; `quantised` fills up with its seven matrices."""

    def __init__(self, checkpoint: Checkpoint, layer: int, bits: int):
        self.checkpoint, self.layer, self.bits = checkpoint, layer, bits
        self.shape = checkpoint.shape
        self.gains = {name: getattr(checkpoint, name)[layer] for name in ("rms_att", "rms_ffn")}
        self.quantised: dict[str, QuantisedMatrix] = {}

    def attention_half(self, exact: np.ndarray, rounded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residuals after attention."""
        normed = [rmsnorm(x, self.gains["rms_att"], self.shape.norm_eps) for x in (exact, rounded)]
        q, k, v = (self._project(name, *normed) for name in ("wq", "wk", "wv"))
        mixed = [self._attend(*qkv) for qkv in zip(q, k, v, strict=True)]
        out = self._project("wo", *mixed, owed=exact - rounded)
        return self._residual(exact + out[0]), self._residual(rounded + out[1])

    def ffn_half(self, exact: np.ndarray, rounded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residuals after the feed-forward network."""
        normed = [rmsnorm(x, self.gains["rms_ffn"], self.shape.norm_eps) for x in (exact, rounded)]
        h1, h3 = (self._project(name, *normed) for name in ("w1", "w3"))
        gated = [swiglu(*h) for h in zip(h1, h3, strict=True)]
        out = self._project("w2", *gated, owed=exact - rounded)
        return self._residual(exact + out[0]), self._residual(rounded + out[1])

    def _residual(self, x: np.ndarray) -> np.ndarray:
        return bounded(x, f"calibration, residual of layer {self.layer}")

    def _project(
        self, name: str, exact: np.ndarray, rounded: np.ndarray, owed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Round one matrix; its outputs in the exact and in the rounded model."""
        self.quantised[name] = _round_matrix(self.checkpoint, self.bits, name, self.layer, exact, rounded, owed)
        unfolded = (self.quantised[name].dequantise() / fold_factor(name, self.shape)).astype(np.float32)
        return exact @ getattr(self.checkpoint, name)[self.layer].T, rounded @ unfolded.T

    def _attend(self, q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
        q, k, v = (x.reshape(*x.shape[:2], -1, self.shape.head_dim) for x in (q, k, v))
        positions = np.arange(q.shape[1])
        q, k = (rope(x, positions, self.shape.rope_theta, self.shape.rope_divisors) for x in (q, k))
        parts = [slice(i, i + _SEQUENCES) for i in range(0, len(q), _SEQUENCES)]
        return np.concatenate([attention(q[part], k[part], v[part], 0) for part in parts])
