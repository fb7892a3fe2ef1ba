"""How far a quantised model is from float: `python -m llama2_myhdl.host.accuracy MODEL [TOKENIZER] [--positions 2000]`.

Teacher-forced on text sampled from the float model itself, with a seed that calibration does not use.
"""

import sys
import time
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from llama2_myhdl.base.options import Parser, unsaid
from llama2_myhdl.golden.accuracy import Accuracy, compare, evaluation_tokens, fixed_logits
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.host.setup import MODEL_HELP, TOKENIZER_HELP, tokenizer_for
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.spec.presets import build_for
from llama2_myhdl.spec.quantised import QuantisedCheckpoint
from llama2_myhdl.weights.folding import dequantise
from llama2_myhdl.weights.quantise import quantise_checkpoint


def evaluate(quantised: QuantisedCheckpoint, model: FloatModel, positions: int) -> dict[str, Accuracy]:
    """Rows of the published table: float, weights only, full integer model."""
    tokens = evaluation_tokens(model, positions)
    reference = model.forward_all(tokens)
    weights_only = FloatModel(dequantise(quantised)).forward_all(tokens)
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
    parser.add_argument("model", help=MODEL_HELP)
    parser.add_argument("tokenizer", nargs="?", help=f"{TOKENIZER_HELP}, checked against the model (its own)")
    parser.add_argument("--positions", type=int, default=2000, help="positions to compare at least (default 2000)")
    parser.add_argument("--nearest", action="store_true", help="round to nearest instead of calibrating")
    parser.add_unsaid()
    options = parser.parse_args(arguments)
    console = Console()
    try:
        if options.positions < 2:
            raise ValueError(f"--positions must be at least 2, is {options.positions}")
        checkpoint = read_model(options.model, rope_theta=options.theta, norm_eps=options.norm_eps)
        tokenizer_for(options.model, options.tokenizer, checkpoint)
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
