"""How far a quantised model is from float: `python -m llama2_myhdl.host.accuracy MODEL [TOKENIZER] [--text FILE]`.

Teacher-forced on a text, in windows that begin with BOS, or on texts sampled from the float model itself, with seeds
that calibration does not use. Rows: "weights", the float model of the rounded weights; "integer", what the hardware
computes; "arithmetic", the integer model against that float model of the same rounded weights.
"""

import resource
import sys
import time
from collections.abc import Iterable

import numpy as np
from rich.console import Console
from rich.table import Table

from llama2_myhdl.base.options import Parser, unsaid
from llama2_myhdl.base.stages import stages
from llama2_myhdl.golden.accuracy import (
    SEQUENCE_LENGTH,
    Accuracy,
    Comparison,
    evaluation_tokens,
    fixed_logits,
    spread,
)
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.golden.sampling import EVALUATION_SEED
from llama2_myhdl.hdl.progress import Progress, silent
from llama2_myhdl.host.setup import MODEL_HELP, TOKENIZER_HELP, tokenizer_for
from llama2_myhdl.host.texts import text_tokens, windows
from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.spec.formats import WEIGHT_BITS
from llama2_myhdl.spec.presets import build_for
from llama2_myhdl.spec.quantised import QuantisedCheckpoint
from llama2_myhdl.weights.cache import quantised
from llama2_myhdl.weights.folding import dequantise
from llama2_myhdl.weights.quantise import quantise_checkpoint

ROWS = ("float", "weights", "integer", "arithmetic")
POSITIONS = 2048


def evaluate(
    weights: QuantisedCheckpoint, model: FloatModel, texts: Iterable[np.ndarray], say: Progress = silent
) -> dict[str, Accuracy]:
    """Rows of the published table over texts, each of tokens [positions], at most the model's context."""
    texts = [np.asarray(tokens) for tokens in texts]
    longest = max(map(len, texts))
    build = build_for(weights.shape, weight_bits=weights.weight_bits)
    rounded, integer = FloatModel(dequantise(weights)), FixedModel(weights, build)
    rows = {name: Comparison() for name in ROWS}
    for number, tokens in enumerate(texts):
        say(f"integer model, texts of up to {longest}", number, len(texts))
        logits = [model.forward_all(tokens), rounded.forward_all(tokens), fixed_logits(integer, tokens)]
        for row, (one, other) in zip(rows.values(), ((0, 0), (0, 1), (0, 2), (1, 2)), strict=True):
            row.add(logits[one], logits[other], tokens)
    clipped = {"integer": integer.saturations.count, "arithmetic": integer.saturations.count}
    return {name: row.accuracy(clipped.get(name, 0)) for name, row in rows.items()}


def accuracy_table(samples: list[dict[str, Accuracy]]) -> Table:
    """The rows of one text as a rich table; of several seeds the means, and the deviation from seed to seed."""
    seeds = f", mean and standard deviation of {len(samples)} seeds" if len(samples) > 1 else ""
    title = f"Accuracy against float, teacher-forced, {samples[0]['float'].positions} positions{seeds}"
    table = Table("model", title=title)
    for heading in ("top-1", "logit MSE", "KL (nats)", "perplexity", "ratio", "clipped"):
        table.add_column(heading, justify="right")
    forms = dict(agreement=".2%", mse=".5f", kl=".5f", perplexity=".4f", perplexity_ratio=".4f", saturations=".0f")
    for name in samples[0]:
        rows = [sample[name] for sample in samples]
        if len(rows) == 1:
            table.add_row(name, *(f"{getattr(rows[0], field):{form}}" for field, form in forms.items()))
        else:
            means, deviations = spread(rows)
            table.add_row(name, *(f"{means[key]:{form}} ±{deviations[key]:{form}}" for key, form in forms.items()))
    return table


def texts_of(options, checkpoint: Checkpoint, model: FloatModel) -> list[list[np.ndarray]]:
    """The windows of the text that is asked for, or those sampled with each seed."""
    tokenizer = tokenizer_for(options.model, options.tokenizer, checkpoint)
    length = min(SEQUENCE_LENGTH, checkpoint.shape.seq_len)
    if options.text:
        tokens = text_tokens(options.text, tokenizer)
        tokens = tokens[: options.positions] if options.positions else tokens
        pieces = windows(tokens, length - 1, checkpoint.bos)
        return [[np.array(piece) for piece in pieces]]
    seeds = range(EVALUATION_SEED, EVALUATION_SEED + options.seeds)
    return [list(evaluation_tokens(model, options.positions or POSITIONS, seed)) for seed in seeds]


def parser() -> Parser:
    """Command line."""
    p = Parser(prog="accuracy", description=__doc__.splitlines()[0])
    p.add_argument("model", help=MODEL_HELP)
    p.add_argument("tokenizer", nargs="?", help=f"{TOKENIZER_HELP}, checked against the model (its own)")
    p.add_argument("--positions", type=int, help=f"positions to compare at least ({POSITIONS}; all of a text)")
    p.add_argument("--text", help="file with a text in UTF-8 (texts sampled from the float model)")
    p.add_argument("--seeds", type=int, default=1, help="of sampled texts: their mean and deviation (1)")
    p.add_argument("--weight-bits", type=int, default=WEIGHT_BITS[0], help=f"8 or 16 ({WEIGHT_BITS[0]})")
    p.add_argument("--nearest", action="store_true", help="round to nearest instead of calibrating")
    p.add_unsaid()
    return p


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    console = Console()
    try:
        if options.positions is not None and options.positions < 2:
            raise ValueError(f"--positions must be at least 2, is {options.positions}")
        if not 1 <= options.seeds <= 100:
            raise ValueError(f"--seeds must be 1 to 100, is {options.seeds}")
        if options.weight_bits not in WEIGHT_BITS:
            raise ValueError(f"--weight-bits must be 8 or 16, is {options.weight_bits}")
        if options.text and options.seeds > 1:
            raise ValueError(f"--seeds is of sampled texts: must be 1 with --text, is {options.seeds}")
        checkpoint = read_model(options.model, rope_theta=options.theta, norm_eps=options.norm_eps)
        model = FloatModel(checkpoint)
        texts = texts_of(options, checkpoint, model)
        console.print(unsaid(checkpoint.shape))
        started = time.monotonic()
        with stages(Console(stderr=True), unit="texts") as say:
            say("quantise the weights", 0, 1)
            if options.nearest:
                weights = quantise_checkpoint(checkpoint, gptq=False, bits=options.weight_bits)
            else:
                weights = quantised(options.model, checkpoint=checkpoint, bits=options.weight_bits)
            seconds = time.monotonic() - started
            samples = [evaluate(weights, model, pieces, say) for pieces in texts]
        console.print(f"quantised, or taken from the cache, in {seconds:.1f} s")
        console.print(accuracy_table(samples))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # Linux counts in KiB
        console.print(f"peak memory {peak:.1f} GiB")
    except ValueError as error:
        print(f"accuracy: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
