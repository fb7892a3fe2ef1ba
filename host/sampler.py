"""Whether the sampler draws what its settings mean: `python -m llama2_myhdl.host.sampler MODEL [--draws 200000]`.

Many draws of the integer sampler from each of the integer model's logits at 20 positions of a text that is sampled from
the float model, with each of eight settings, against the distribution in float64. Exit status 1 when they differ.
"""

import sys
import time
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from llama2_myhdl.base.options import Parser, unsaid
from llama2_myhdl.base.stages import stages
from llama2_myhdl.golden.accuracy import SEQUENCE_LENGTH, evaluation_tokens
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.golden.sampler_statistics import (
    DRAWS,
    LARGEST_VARIATION,
    SETTINGS,
    SIGNIFICANCE,
    Run,
    allowed,
    faults,
    logit_vectors,
    run,
)
from llama2_myhdl.host.setup import MODEL_HELP
from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.weights.cache import quantised

SEED = 1


def measure(model, checkpoint: Checkpoint, draws: int, say) -> list[Run]:
    """The runs of a checkpoint, whose file is `model`; each has a stream of its own. say: as `base.stages` gives it."""
    say("quantise the weights", 0, 1)
    weights = quantised(model, checkpoint=checkpoint)
    say("logits", 0, 1)
    text = evaluation_tokens(FloatModel(checkpoint), SEQUENCE_LENGTH)[0]
    vectors, runs = logit_vectors(weights, text.tolist()), []
    total = len(SETTINGS) * len(vectors)
    for setting, sampling in SETTINGS.items():
        for vector, logits in vectors.items():
            say("draw", len(runs), total)
            runs.append(run(vector, setting, logits, replace(sampling, seed=SEED, stream=len(runs)), draws))
    return runs


def table(runs: list[Run]) -> Table:
    """A row a run, as a rich table."""
    result = Table("setting", title=f"The integer sampler against float64, {runs[0].draws:,} draws a run")
    for heading in ("position", "p-value", "variation", "noise", "bias", "missed"):
        result.add_column(heading, justify="right")
    for one in runs:
        p_value = "one bin" if one.p_value is None else f"{one.p_value:.4f}"
        distances = (f"{one.variation:.5f}", f"{one.noise:.5f}", f"{one.bias:.1e}", f"{one.missed:.1e}")
        result.add_row(one.setting, one.vector, p_value, *distances)
    return result


def summary(runs: list[Run]) -> Table:
    """A row a setting."""
    result = Table("setting", title="The largest of each setting")
    for heading in ("runs", f"p < {SIGNIFICANCE}", "variation", "its noise", "bias", "missed"):
        result.add_column(heading, justify="right")
    for setting in dict.fromkeys(one.setting for one in runs):
        its = [one for one in runs if one.setting == setting]
        low = sum(one.p_value is not None and one.p_value < SIGNIFICANCE for one in its)
        worst = max(its, key=lambda one: one.variation)
        distances = (f"{worst.variation:.5f}", f"{worst.noise:.5f}")
        bias, missed = max(one.bias for one in its), max(one.missed for one in its)
        result.add_row(setting, str(len(its)), str(low), *distances, f"{bias:.1e}", f"{missed:.1e}")
    return result


def verdict(runs: list[Run]) -> list[str]:
    """Lines on all runs: how many p-values are low and how many may be, how many distances are small; what is wrong."""
    tested = [one.p_value for one in runs if one.p_value is not None]
    low, most = sum(p < SIGNIFICANCE for p in tested), allowed(len(tested))
    small = sum(one.variation < LARGEST_VARIATION for one in runs)
    noisy = sum(one.noise >= LARGEST_VARIATION for one in runs)
    expected = f"{SIGNIFICANCE * len(tested):.1f} expected, {most} allowed"
    return [
        f"p-value below {SIGNIFICANCE}: {low} of {len(tested)}, {expected}",
        f"variation below {LARGEST_VARIATION}: {small} of {len(runs)}; above it by its noise alone: {noisy}",
        *faults(runs),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0; 1 when the draws are not what the settings mean; 2 after one line for bad input."""
    parser = Parser(prog="sampler", description=__doc__.splitlines()[0])
    parser.add_argument("model", help=MODEL_HELP)
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"from each vector of logits (default {DRAWS})")
    parser.add_unsaid()
    options = parser.parse_args(arguments)
    console, began = Console(), time.monotonic()
    try:
        if options.draws < 1:
            raise ValueError(f"--draws must be at least 1, is {options.draws}")
        checkpoint = read_model(options.model, rope_theta=options.theta, norm_eps=options.norm_eps)
        console.print(unsaid(checkpoint.shape))
        with stages(Console(stderr=True), "runs") as say:
            runs = measure(options.model, checkpoint, options.draws, say)
    except ValueError as error:
        print(f"sampler: {error}", file=sys.stderr)
        return 2
    console.print(table(runs))
    console.print(summary(runs))
    for line in verdict(runs):
        console.print(line)
    console.print(f"{time.monotonic() - began:.0f} s")
    return 1 if faults(runs) else 0


if __name__ == "__main__":
    sys.exit(main())
