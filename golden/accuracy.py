"""How far a quantised model is from float: `python -m llama2_myhdl.golden.accuracy MODEL TOKENIZER [--positions 2000]`.

Teacher-forced on text sampled from the float model itself, with a seed that calibration does not use.
"""

import sys
import time
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console
from rich.table import Table

from llama2_myhdl.golden.checkpoint import read_checkpoint
from llama2_myhdl.golden.fixed_model import FixedModel, to_float
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.golden.options import Parser, unsaid
from llama2_myhdl.golden.sampling import EVALUATION_SEED, sample_texts
from llama2_myhdl.golden.tokenizer import read_tokenizer
from llama2_myhdl.rtl.config import BuildConfig
from llama2_myhdl.rtl.presets import build_for
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.quantised import QuantisedCheckpoint

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
    expected, got = _log_softmax(reference), _log_softmax(logits)
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


def _log_softmax(x: np.ndarray) -> np.ndarray:
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.sum(np.exp(x), axis=-1, keepdims=True))


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


def evaluate(quantised: QuantisedCheckpoint, model: FloatModel, positions: int) -> dict[str, Accuracy]:
    """Rows of the published table: float, weights only, full integer model."""
    tokens = evaluation_tokens(model, positions)
    reference = model.forward_all(tokens)
    weights_only = FloatModel(quantised.dequantise()).forward_all(tokens)
    integer, saturated = fixed_logits(quantised, build_for(quantised.shape), tokens)
    return {
        "float": compare(reference, reference, tokens),
        "weights": compare(reference, weights_only, tokens),
        "integer": replace(compare(reference, integer, tokens), saturations=saturated),
    }


def accuracy_table(rows: dict[str, Accuracy]) -> Table:
    """The rows as a rich table."""
    positions = next(iter(rows.values())).positions
    table = Table("model", title=f"Accuracy against float, teacher-forced, {positions} positions")
    for heading in ("top-1", "logit MSE", "KL (nats)", "perplexity", "ratio", "clipped"):
        table.add_column(heading, justify="right")
    for name, row in rows.items():
        figures = (f"{row.agreement:.2%}", f"{row.mse:.5f}", f"{row.kl:.5f}", f"{row.perplexity:.4f}")
        table.add_row(name, *figures, f"{row.perplexity_ratio:.4f}", str(row.saturations))
    return table


def main(arguments: list[str] | None = None) -> int:
    parser = Parser(prog="accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("model", help="llama2.c checkpoint")
    parser.add_argument("tokenizer", help="its tokenizer (checked against the model's vocabulary)")
    parser.add_argument("--positions", type=int, default=2000, help="positions to compare at least (default 2000)")
    parser.add_argument("--nearest", action="store_true", help="round to nearest instead of calibrating")
    parser.add_unsaid()
    options = parser.parse_args(arguments)
    console = Console()
    try:
        if options.positions < 2:
            raise ValueError(f"--positions must be at least 2, is {options.positions}")
        checkpoint = read_checkpoint(options.model, rope_theta=options.theta, norm_eps=options.norm_eps)
        read_tokenizer(options.tokenizer, checkpoint.shape.vocab_size)
        console.print(unsaid(checkpoint.shape))
        started = time.monotonic()
        quantised = quantise_checkpoint(checkpoint, gptq=not options.nearest)
        console.print(f"quantised in {time.monotonic() - started:.1f} s")
        console.print(accuracy_table(evaluate(quantised, FloatModel(checkpoint), options.positions)))
    except ValueError as error:
        print(f"accuracy: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
