"""`make perplexity`: how likely a text is, by the simulated decoder, by the integer model in float64, and in float.

The text's tokens are cut into windows of the context. Each begins anew with BOS, which is not counted itself. Blanks at
the text's end are not part of it. Without a text it is one that the float model makes, always the same.

The windows pass the decoder one after the other: side by side they would take as many cycles, since the tokens of a
prompt already follow each other without a pause.
"""

import json
import sys
from itertools import count

from rich.console import Console
from rich.table import Table

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.options import Parser, unsaid
from llama2_myhdl.base.stages import stages
from llama2_myhdl.golden.accuracy import SEQUENCE_LENGTH
from llama2_myhdl.golden.checker import Checker
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.golden.likelihood import float_logprobs, likelihood
from llama2_myhdl.golden.sampling import EVALUATION_SEED, sample_texts
from llama2_myhdl.host import setup
from llama2_myhdl.host.setup import Setup, list_for
from llama2_myhdl.host.stopping import stoppable
from llama2_myhdl.host.texts import text_tokens, windows
from llama2_myhdl.sim.jobs import Job, run_group
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.errors import MEANING

TOKENS = 2000  # of a text that the model makes, at least
ROWS = {"hardware": "hardware", "integer": "integer model, float64", "float": "float model"}
MISMATCH, BAD_INPUT = 1, 2


def parser() -> Parser:
    """Command line; all options have defaults."""
    p = Parser(prog="perplexity", description=__doc__.splitlines()[0])
    setup.add_options(p)
    p.add_argument("--text", help=f"file with a text in UTF-8 ({TOKENS:,} tokens sampled from the float model)")
    return p


class Text(Setup):
    """A checked command line: what to work with, and the text's windows. Raises ModelError or ConfigError."""

    def __init__(self, args):
        list_for(args.config, ["logprobs"])
        super().__init__(args)
        self.sampled_length = min(SEQUENCE_LENGTH, self.shape.seq_len)
        if not args.text and self.sampled_length < 2:
            raise ModelError(f"context: must be at least 2 without a text, is {self.sampled_length}")
        self.windows = None
        if args.text:
            self.windows = windows(text_tokens(args.text, self.tokenizer), self.shape.seq_len, self.tokenizer.bos)

    def sampled(self) -> list[list[int]]:
        """Windows that the float model makes."""
        texts = -(-TOKENS // (self.sampled_length - 1))
        return sample_texts(FloatModel(self.checkpoint), texts, self.sampled_length, EVALUATION_SEED).tolist()


def measure(text: Text, say) -> dict:
    """All that is said of a text, as a JSON-able dict."""
    if text.windows is None:
        say("sample a text", 0, 1)
    pieces = text.windows or text.sampled()
    # a window's last token is what the position in front of it is asked for, and no position itself
    jobs = [Job(piece, len(piece) - 1, wishes=dict(logprobs=True)) for piece in pieces]
    weights, image, session = text.open(say)
    with session, Checker(weights, text.build, [job.request for job in jobs]) as checker:
        if error := session.boot(*image):
            raise SimulationError(f"the hardware refused the model: {MEANING[error]}")
        total, outcomes, beats = sum(job.steps for job in jobs), [], count(1)
        say("simulate", 0, total)
        for job in jobs:
            outcomes += run_group(session, [job], lambda *told: say("simulate", next(beats), total))
        say("integer model", 0, 1)
        answers = checker.finish()
    say("float model", 0, 1)
    model = FloatModel(text.checkpoint)
    logprobs = dict(
        hardware=[x for outcome in outcomes for x in outcome.logprobs],
        integer=sum(answers.exact, []),
        float=[x for piece in pieces for x in float_logprobs(model, piece)],
    )
    cycles = sum(sum(outcome.cycles_per_position) for outcome in outcomes)
    return dict(
        tokens=total,
        windows=len(pieces),
        window=max(job.steps for job in jobs),
        **{name: likelihood(found) for name, found in logprobs.items()},
        cycles=cycles,
        cycles_per_token=cycles / total,
        lanes=text.build.lanes,
        engines=text.build.engines,
        golden_match=[outcome.beats for outcome in outcomes] == answers.beats,
    )


def table(result: dict) -> Table:
    """The three perplexities, and how far they are from the integer model's in float64."""
    title = f"{result['tokens']:,} tokens in windows of {result['window']}"
    found = Table("", title=title)
    for heading in ("mean log-probability", "perplexity", "difference"):
        found.add_column(heading, justify="right")
    for name, label in ROWS.items():
        row, difference = result[name], result[name]["perplexity"] / result["integer"]["perplexity"] - 1
        found.add_row(label, f"{row['mean_logprob']:.5f}", f"{row['perplexity']:.5f}", f"{difference:+.4%}")
    return found


def summary(result: dict) -> str:
    """What the hardware did."""
    check = "equal to the integer model" if result["golden_match"] else "DIFFERENT from the integer model"
    counts = f"{result['tokens']:,} tokens, {result['cycles']:,} cycles"
    return f"{counts}, {result['cycles_per_token']:,.0f} cycles per token, every beat {check}"


def run(argv=None) -> int:
    """As `main`, but for signals."""
    args = parser().parse_args(argv)
    try:
        text = Text(args)
        if not text.shipped:
            print(unsaid(text.shape), file=sys.stderr)
        with stages(Console(stderr=True), "tokens") as say:
            result = measure(text, say)
        if args.json:
            write_whole(args.json, [json.dumps(result).encode()])
    except (ModelError, ConfigError, SimulationError, OSError) as error:
        print(f"perplexity: {error}", file=sys.stderr)
        return BAD_INPUT
    Console().print(table(result))
    print(summary(result))
    return 0 if result["golden_match"] else MISMATCH


def main(argv=None) -> int:
    """Exit status 0; 1 when hardware and integer model differ; 2 after one line about bad input; 130 or 143 after a
    signal."""
    return stoppable("perplexity", lambda: run(argv))


if __name__ == "__main__":
    sys.exit(main())
