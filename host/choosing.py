"""How the tokens of stories are chosen, as a command line says it: the sampler's settings, how many stories, when they
end."""

from dataclasses import asdict, replace

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.options import Parser
from llama2_myhdl.host.setup import list_for
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.sampling import Sampling

MOST_SAMPLES = 64
CUTS = dict(top_k=0, top_p=1.0, min_p=0.0)  # the fields of Sampling that cut off, and their values that do not


def add_options(p: Parser) -> None:
    """The options that `Choosing` looks at; without any, stories are greedy."""
    p.add_argument("--temperature", type=float, help="of the softmax that is drawn from; 0: greedy (0)")
    p.add_argument("--topk", dest="top_k", metavar="K", type=int, default=0, help="draw from the K likeliest (0: off)")
    p.add_argument("--topp", dest="top_p", metavar="P", type=float, default=1.0, help="from a nucleus of P (1: off)")
    p.add_argument("--minp", dest="min_p", metavar="P", type=float, default=0.0,
                   help="from tokens at least P times as likely as the likeliest (0: off)")  # fmt: skip
    p.add_argument("--seed", type=int, default=0, help="of the random numbers; the same seed, the same story (0)")
    p.add_argument("--samples", type=int, default=1, help="stories from the prompt, told side by side (1)")
    p.add_argument("--new-tokens", type=int, default=0, help="tokens behind the prompt at most; 0: no limit (0)")
    p.add_argument("--logprobs", action="store_true", help="say how likely the stories are")


class Choosing:
    """A checked command line. sampling: of the first story, the others have the streams behind its own. Raises
    ModelError, and ConfigError for what the build cannot do."""

    def __init__(self, args):
        cuts = {name: getattr(args, name) for name in CUTS}
        self.sampling = Sampling(args.temperature or 0.0, seed=args.seed, **cuts)
        self.samples, self.new_tokens, self.logprobs = args.samples, args.new_tokens, args.logprobs
        cutting = [name for name, off in CUTS.items() if cuts[name] != off]
        if not 1 <= self.samples <= MOST_SAMPLES:
            raise ModelError(f"samples must be 1 to {MOST_SAMPLES}, is {self.samples}")
        if self.new_tokens < 0:
            raise ModelError(f"new_tokens must be at least 0 (no limit), is {self.new_tokens}")
        if args.temperature is None and cutting:
            raise ModelError(f"{', '.join(cutting)}: temperature must be given, without one stories are greedy")
        if self.sampling.greedy and self.samples > 1:
            raise ModelError(f"samples must be 1 at temperature 0 (greedy), is {self.samples}: all would be the same")
        wanted = dict(temperature=not self.sampling.greedy, new_tokens=self.new_tokens, logprobs=self.logprobs)
        entries = list_for(args.config, [name for name, value in wanted.items() if value])
        if self.sampling.top_k > entries:
            raise ConfigError(f"top_k must be at most {entries} in configuration {args.config}, is {args.top_k}")

    @property
    def slots(self) -> int:
        """Sequence slots that a build needs for all stories."""
        return 1 << (self.samples - 1).bit_length()

    def wishes(self, story: int, context: int) -> dict:
        """Of story number `story`, for `Request`, where at most `context` tokens can be new."""
        sampling = replace(self.sampling, stream=story)
        return dict(sampling=sampling, new_tokens=min(self.new_tokens, context), logprobs=self.logprobs)

    def settings(self) -> dict:
        """For a result; nothing of greedy stories, and of others all but the stream."""
        if self.sampling.greedy:
            return {}
        return dict(sampling={name: value for name, value in asdict(self.sampling).items() if name != "stream"})
