"""`make generate`: the simulated decoder tells stories; every token is held against the integer model."""

import json
import os
import sys
import time

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import check_writable, write_whole
from llama2_myhdl.base.options import Parser, unsaid
from llama2_myhdl.golden.likelihood import likelihood
from llama2_myhdl.host import choosing, setup
from llama2_myhdl.host.bus_use import bus_line, bus_use
from llama2_myhdl.host.choosing import Choosing
from llama2_myhdl.host.display import Story
from llama2_myhdl.host.setup import Setup
from llama2_myhdl.host.stopping import stoppable
from llama2_myhdl.host.taps import save
from llama2_myhdl.host.telling import simulate
from llama2_myhdl.host.utilisation import mac_utilisation
from llama2_myhdl.readers.codec import utf8_text
from llama2_myhdl.sim.jobs import Job
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.sim.taps import split
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.counters import COUNTERS
from llama2_myhdl.spec.stops import STOP_NAMES

DEFAULT_PROMPT = "Once upon a time"
DEFAULT_STEPS = 256
CLOCK_MHZ = 105  # every routed block reaches it (README)
BAD_INPUT = 2
MISMATCH = 1


def parser() -> Parser:
    """Command line; all options have defaults."""
    p = Parser(prog="generate", description=__doc__)
    setup.add_options(p)
    add_story(p, DEFAULT_STEPS)
    choosing.add_options(p)
    p.add_argument("--trace", action="store_true", help="print the cycle table")
    p.add_argument("--taps", help="write every stage's tensors, beside the float model's, to this npz file")
    p.add_argument("--tap-positions", help="positions to tap, separated by commas (0)")
    p.add_argument("--tap-layers", help="layers to tap, separated by commas (all)")
    return p


def _numbers(option: str, text: str | None, limit: int) -> list[int]:
    """Numbers 0 .. limit-1 of a list separated by commas; all of them for None."""
    if text is None:
        return list(range(limit))
    for item in text.split(","):
        if not (item.isascii() and item.isdecimal()) or int(item) >= limit:
            raise ModelError(f"{option}: must be numbers from 0 to {limit - 1}, is {item!r}")
    return [int(item) for item in text.split(",")]


def add_story(p: Parser, steps: int) -> None:
    """The options that say what is told; steps: those without the option."""
    p.add_argument("--prompt", default=DEFAULT_PROMPT, help=f"text to go on from, may be empty ({DEFAULT_PROMPT!r})")
    p.add_argument("--chat", action="store_true", help="the prompt is what a user says, in the model's chat template")
    p.add_argument("--steps", type=int, help="positions at most, prompt included; 0: all there are "
                   f"({steps}, or with new-tokens 0)")  # fmt: skip


class Request(Setup):
    """A checked command line: what to work with, prompt ids, and a job for each story. Raises ModelError or
    ConfigError."""

    def __init__(self, args):
        self.choosing = Choosing(args)
        super().__init__(args, sequences=self.choosing.slots)
        self.prompt = self._prompt(args)
        if len(self.prompt) > self.shape.seq_len:
            raise ModelError(f"prompt: must have at most {self.shape.seq_len} tokens, has {len(self.prompt)}")
        asked_steps = self._steps(args.steps)
        self.steps = asked_steps or self.shape.seq_len
        if args.taps:
            check_writable(args.taps)
        for option, value in (("tap-positions", args.tap_positions), ("tap-layers", args.tap_layers)):
            if value is not None and not args.taps:
                raise ModelError(f"{option}: needs taps, the file to write")
        for option in ("taps", "trace"):
            if getattr(args, option) and self.choosing.samples > 1:
                raise ModelError(f"{option}: samples must be 1, is {self.choosing.samples}")
        self.tap_positions = _numbers("tap-positions", args.tap_positions or "0", self.steps) if args.taps else []
        self.tap_layers = _numbers("tap-layers", args.tap_layers, self.shape.n_layers)
        # taps hold the logits too; else prompt positions but the last skip the classifier
        taps = tuple(self.tap_positions)
        self.jobs = [
            Job(self.prompt, asked_steps, taps=taps, trace=args.trace, score=bool(taps), seq=story,
                wishes=self.choosing.wishes(story, self.shape.seq_len) | self._stops())
            for story in range(self.choosing.samples)
        ]  # fmt: skip

    def _prompt(self, args) -> list[int]:
        text = os.fsencode(args.prompt)
        if args.chat:
            return self.tokenizer.chat([dict(role="user", content=utf8_text(text))])
        return self.tokenizer.encode(text)

    def _stops(self) -> dict:
        return dict(stops=self.stops) if self.stops else {}

    def _steps(self, asked: int | None) -> int:
        """Positions for the hardware, 0: the whole context."""
        if asked is None:
            asked = 0 if self.choosing.new_tokens else DEFAULT_STEPS
        if asked < 0:
            raise ModelError(f"steps: must be at least 0 (the whole context), is {asked}")
        return min(asked, self.shape.seq_len)

    @property
    def positions(self) -> int:
        """Of all stories, at most."""
        new = self.choosing.new_tokens
        return len(self.jobs) * min(self.steps, len(self.prompt) - 1 + new if new else self.steps)


def tell(request: Request, args, story: Story) -> dict:
    """The result of a request, as JSON-able dict."""
    told = simulate(request, story, args.trace)
    if args.taps:
        _save_taps(args.taps, request, told.inputs[0], told.outcomes[0].taps)
    return _result(request, args, told.inputs, told.outcomes, told.answers, told.seconds)


def _save_taps(path, request, inputs, recorded) -> None:
    wanted = request.tap_positions
    if not recorded:
        raise ModelError(f"taps: the story ended before position {min(wanted)}")
    if missed := sorted(set(wanted) - recorded.keys()):
        print(f"generate: taps: the story ended before position {', '.join(map(str, missed))}", file=sys.stderr)
    seen = {pos: split(records, request.shape) for pos, records in recorded.items()}
    save(path, request.checkpoint, inputs, seen, request.tap_layers)


def _result(request, args, inputs, outcomes, answers, seconds) -> dict:
    stories = [_story(request, *one) for one in zip(inputs, outcomes, answers.beats, strict=True)]
    positions, scored = (sum(story[name] for story in stories) for name in ("positions", "scored_positions"))
    first = outcomes[0]  # counters are of all
    cycles = max(outcome.tokens[-1]["cycles"] for outcome in outcomes) - first.start["cycles"]
    result = dict(
        prompt_ids=request.prompt,
        positions=positions,
        scored_positions=scored,
        cycles=cycles,
        mac_utilisation=mac_utilisation(request.shape, request.build, positions, scored, cycles),
        weight_beats=first.counted("weights"),
        counters={name: first.counted(name) for name in COUNTERS},
        saturations=first.counted("saturations"),
        lanes=request.build.lanes,
        weight_bits=request.build.weight_bits,
        engines=request.build.engines,
        rope_theta=request.shape.rope_theta,
        norm_eps=request.shape.norm_eps,
        sim=args.sim,
        simulation_cpu_seconds=round(seconds, 3),
        cycles_per_cpu_second=round(cycles / seconds),
        check_cpu_seconds=round(answers.seconds, 3),
        golden_match=all(story["golden_match"] for story in stories),
        **request.choosing.settings(),
    )
    if request.dram:
        result["bus"] = bus_use(request.build, request.shape, first, positions, scored, cycles) | vars(request.dram)
    return result | (stories[0] if len(stories) == 1 else dict(stories=stories))


def _story(request, inputs, outcome, beats) -> dict:
    """One story's part of the result."""
    story = dict(
        generated_ids=inputs[len(request.prompt) :],
        predicted_ids=outcome.predictions,
        text=request.tokenizer.decode_all(inputs),
        positions=len(outcome.tokens),
        scored_positions=sum(beat["scored"] for beat in outcome.tokens),
        cycles_per_position=outcome.cycles_per_position,
        stop=STOP_NAMES[outcome.tokens[-1]["stop"]],
        golden_match=outcome.beats == beats,
    )
    if request.choosing.logprobs:
        sampled = [logprob for logprob, beat in zip(outcome.logprobs, outcome.tokens) if beat["sampled"]]
        story |= dict(logprobs=outcome.logprobs, **likelihood(sampled))
    return story


def summary(result: dict) -> str:
    """What the hardware did, what came of each story if that is more, and what it took to simulate and to check it."""
    per_token = result["cycles"] / result["positions"]
    check = "equal to the integer model" if result["golden_match"] else "DIFFERENT from the integer model"
    stories = result.get("stories", [])
    stop = "" if stories else f" (stop: {result['stop']})"
    total = (
        f"{result['positions']} tokens, {result['cycles']:,} cycles, {per_token:,.0f} cycles per token, "
        f"MAC utilisation {result['mac_utilisation']:.1%}, {CLOCK_MHZ * 1e6 / per_token:,.0f} tokens/s at "
        f"{CLOCK_MHZ} MHz, {check}{stop}"
    )
    each = [f"story {k}: {s['positions']} tokens (stop: {s['stop']}){_likely(s)}" for k, s in enumerate(stories)]
    if not stories and (likely := _likely(result)):
        each = [likely.removeprefix(", ")]
    if short := result["counters"]["list_overflows"]:
        each.append(f"{short} tokens drawn from a list that was too short for what top-p or min-p keep")
    cost = (
        f"simulated in {result['simulation_cpu_seconds']:.1f} s of CPU time, {result['cycles_per_cpu_second']:,} "
        f"cycles a second; checked beside it in {result['check_cpu_seconds']:.1f} s"
    )
    bus = [bus_line(result["bus"])] if "bus" in result else []
    return "\n".join([*each, total, *bus, cost])


def _likely(story: dict) -> str:
    """How likely the sampled tokens are, behind a comma; nothing where that is not known."""
    if story.get("mean_logprob") is None:
        return ""
    return f", mean log-probability {story['mean_logprob']:.4f} a sampled token, perplexity {story['perplexity']:.3f}"


def run(argv=None) -> int:
    """As `main`, but for signals."""
    args = parser().parse_args(argv)
    story, began = Story(), time.monotonic()
    try:
        request = Request(args)
        if not request.shipped:
            print(unsaid(request.shape), file=sys.stderr)
        result = tell(request, args, story)
        if args.json:
            result |= dict(wall_seconds=round(time.monotonic() - began, 2))
            write_whole(args.json, [json.dumps(result).encode()])
    except (ModelError, ConfigError, SimulationError, OSError) as error:
        print(f"generate: {error}", file=sys.stderr)
        return BAD_INPUT
    print(summary(result))
    return 0 if result["golden_match"] else MISMATCH


def main(argv=None) -> int:
    """Exit status 0; 1 when hardware and integer model differ; 2 after one line about bad input; 130 or 143 after a
    signal."""
    return stoppable("generate", lambda: run(argv))


if __name__ == "__main__":
    sys.exit(main())
