"""How far logits are from reference logits, teacher-forced on text that is sampled from the float model itself."""

from dataclasses import dataclass

import numpy as np

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.golden.float_ops import log_softmax
from llama2_myhdl.golden.sampling import EVALUATION_SEED, sample_texts
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.formats import to_float
from llama2_myhdl.spec.quantised import QuantisedCheckpoint

SEQUENCE_LENGTH = 256


@dataclass(frozen=True)
class Accuracy:
    """Of logits against reference logits, over `positions` positions.

    agreement: share of equal argmax; mse: mean squared difference of logits; kl: mean Kullback-Leibler divergence from
    the reference, in nats; perplexity: of the text; perplexity_ratio: that over the reference's; saturations: values
    that the integer model clipped.
    """

    positions: int
    agreement: float
    mse: float
    kl: float
    perplexity: float
    perplexity_ratio: float
    saturations: int = 0


def compare(reference: np.ndarray, logits: np.ndarray, tokens: np.ndarray) -> Accuracy:
    """Accuracy of logits [sequences, positions, vocab] of the sequences tokens [sequences, positions]."""
    reference, logits = reference.astype(np.float64), logits.astype(np.float64)
    expected, got = log_softmax(reference), log_softmax(logits)
    following = tokens[:, 1:, None]
    loss = [-np.take_along_axis(x[:, :-1], following, axis=2).mean() for x in (expected, got)]
    with np.errstate(over="ignore"):  # the perplexity of a hopeless model is infinite
        perplexity, ratio = float(np.exp(loss[1])), float(np.exp(loss[1] - loss[0]))
    return Accuracy(
        positions=tokens.size,
        agreement=float(np.mean(reference.argmax(-1) == logits.argmax(-1))),
        mse=float(np.mean((reference - logits) ** 2)),
        kl=float(np.mean(np.sum(np.exp(expected) * (expected - got), axis=-1))),
        perplexity=perplexity,
        perplexity_ratio=ratio,
    )


def evaluation_tokens(model: FloatModel, positions: int) -> np.ndarray:
    """Whole sequences [n, length] with at least `positions` positions, sampled from the model."""
    length = min(SEQUENCE_LENGTH, model.shape.seq_len, positions)
    return sample_texts(model, -(-positions // length), length, EVALUATION_SEED)


def fixed_logits(quantised: QuantisedCheckpoint, build: BuildConfig, tokens: np.ndarray) -> tuple[np.ndarray, int]:
    """Logits of the integer model as floats, and how many values saturated."""
    model = FixedModel(quantised, build)
    rows = []
    for sequence in tokens.tolist():
        model.reset()
        rows.append([to_float(model.forward(token, position)) for position, token in enumerate(sequence)])
    return np.array(rows), model.saturations.count
