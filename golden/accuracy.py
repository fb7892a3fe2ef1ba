"""How far logits are from reference logits, teacher-forced on a text: sampled from the float model itself, or given."""

from dataclasses import dataclass, fields

import numpy as np

from llama2_myhdl.golden.fixed.arith import to_float
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.golden.float_ops import log_softmax
from llama2_myhdl.golden.sampling import EVALUATION_SEED, sample_texts

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


class Comparison:
    """Adds up an Accuracy sequence by sequence: the logits of a large vocabulary need not all be there at once."""

    def __init__(self):
        self._positions, self._equal, self._squares, self._elements, self._kl = 0, 0, 0.0, 0, 0.0
        self._losses, self._followed = np.zeros(2), 0

    def add(self, reference: np.ndarray, logits: np.ndarray, tokens: np.ndarray) -> None:
        """Logits [positions, vocab] of a sequence tokens [positions]."""
        reference, logits = reference.astype(np.float64), logits.astype(np.float64)
        expected, got = log_softmax(reference), log_softmax(logits)
        self._losses += [-np.take_along_axis(x[:-1], tokens[1:, None], axis=1).sum() for x in (expected, got)]
        self._followed += len(tokens) - 1
        self._positions += len(tokens)
        self._equal += int(np.sum(reference.argmax(-1) == logits.argmax(-1)))
        self._squares += float(np.sum((reference - logits) ** 2))
        self._elements += reference.size
        self._kl += float(np.sum(np.exp(expected) * (expected - got)))

    def accuracy(self, saturations: int = 0) -> Accuracy:
        """Of all sequences so far; there must be a token that follows another one."""
        reference, loss = self._losses / self._followed
        with np.errstate(over="ignore"):  # the perplexity of a hopeless model is infinite
            perplexity, ratio = float(np.exp(loss)), float(np.exp(loss - reference))
        return Accuracy(
            positions=self._positions,
            agreement=self._equal / self._positions,
            mse=self._squares / self._elements,
            kl=self._kl / self._positions,
            perplexity=perplexity,
            perplexity_ratio=ratio,
            saturations=saturations,
        )


def compare(reference: np.ndarray, logits: np.ndarray, tokens: np.ndarray) -> Accuracy:
    """Accuracy of logits [sequences, positions, vocab] of the sequences tokens [sequences, positions]."""
    found = Comparison()
    for sequence in zip(reference, logits, tokens, strict=True):
        found.add(*sequence)
    return found.accuracy()


def spread(samples: list[Accuracy]) -> tuple[dict[str, float], dict[str, float]]:
    """Mean and standard deviation of each field over texts of different seeds, at least two."""
    values = {field.name: [getattr(sample, field.name) for sample in samples] for field in fields(Accuracy)}
    means = {name: float(np.mean(found)) for name, found in values.items()}
    return means, {name: float(np.std(found, ddof=1)) for name, found in values.items()}


def evaluation_tokens(model: FloatModel, positions: int, seed: int = EVALUATION_SEED) -> np.ndarray:
    """Whole sequences [n, length] with at least `positions` positions, sampled from the model."""
    length = min(SEQUENCE_LENGTH, model.shape.seq_len, positions)
    return sample_texts(model, -(-positions // length), length, seed)


def fixed_logits(model: FixedModel, tokens: np.ndarray) -> np.ndarray:
    """Logits [positions, vocab] of the integer model as floats, of a sequence; its saturations go on counting."""
    model.reset()
    return np.array([to_float(model.forward(token, position)) for position, token in enumerate(tokens.tolist())])
