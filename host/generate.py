"""`make generate`: the simulated decoder tells a story; every token is held against the integer model."""

import json
import os
import resource
import sys
import time
from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import check_writable, write_whole
from llama2_myhdl.base.options import Parser, unsaid
from llama2_myhdl.base.place import check_folder
from llama2_myhdl.golden.checker import Checker
from llama2_myhdl.host.display import Story
from llama2_myhdl.host.stopping import stoppable
from llama2_myhdl.host.taps import save
from llama2_myhdl.host.trace import header, line
from llama2_myhdl.host.utilisation import mac_utilisation
from llama2_myhdl.readers.checkpoint import read_checkpoint
from llama2_myhdl.readers.tokenizer import StreamDecoder, read_tokenizer
from llama2_myhdl.sim.jobs import Job, Outcome, beat_of, run_group
from llama2_myhdl.sim.session import SIMULATORS, Session
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.sim.taps import split
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.counters import COUNTERS
from llama2_myhdl.spec.errors import MEANING
from llama2_myhdl.spec.presets import AUTO, build_that_holds
from llama2_myhdl.spec.sequence import following
from llama2_myhdl.spec.stops import STOP_NAMES
from llama2_myhdl.weights.cache import quantised, tape_file
from llama2_myhdl.weights.models import DEFAULT
from llama2_myhdl.weights.tape import read_tape

DEFAULT_PROMPT = "Once upon a time"
CLOCK_MHZ = 105  # every routed block reaches it (README)
BAD_INPUT = 2
MISMATCH = 1


def parser() -> Parser:
    """Command line; all options have defaults."""
    p = Parser(prog="generate", description=__doc__)
    p.add_argument("--model", default=DEFAULT / "model.bin", help="llama2.c checkpoint (the shipped default model)")
    p.add_argument("--tokenizer", help="llama2.c tokenizer.bin (the shipped one)")
    p.add_unsaid()
    p.add_argument("--prompt", default=DEFAULT_PROMPT, help=f"text to go on from, may be empty ({DEFAULT_PROMPT!r})")
    p.add_argument("--steps", type=int, default=256, help="positions at most, prompt included; 0: all there are (256)")
    p.add_argument("--context", type=int, help="positions that the hardware may use, at most the model's (all)")
    p.add_argument("--config", default=AUTO, help=f"build preset; {AUTO}: the smallest that holds the model ({AUTO})")
    p.add_argument("--lanes", type=int, help="weights a beat, instead of the preset's")
    p.add_argument("--engines", type=int, help="layer engines of the wavefront, instead of the preset's")
    p.add_argument("--sim", default=SIMULATORS[0], choices=SIMULATORS, help=f"simulator ({SIMULATORS[0]})")
    p.add_argument("--json", help="write the result to this file")
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


class Request:
    """A checked command line: model, tokenizer, prompt ids, build. Raises ModelError or ConfigError."""

    def __init__(self, args):
        check_folder()
        checkpoint = read_checkpoint(args.model, rope_theta=args.theta, norm_eps=args.norm_eps)
        self.shape = checkpoint.shape.shortened(args.context)
        self.shipped = Path(args.model).resolve() == (DEFAULT / "model.bin").resolve()
        if args.tokenizer is None and not self.shipped:
            raise ModelError("--tokenizer: must be given with --model")
        self.tokenizer = read_tokenizer(args.tokenizer or DEFAULT / "tokenizer.bin", self.shape.vocab_size)
        self.prompt = self.tokenizer.encode(os.fsencode(args.prompt))
        if len(self.prompt) > self.shape.seq_len:
            raise ModelError(f"prompt: must have at most {self.shape.seq_len} tokens, has {len(self.prompt)}")
        if args.steps < 0:
            raise ModelError(f"steps: must be at least 0 (the whole context), is {args.steps}")
        for path in filter(None, (args.json, args.taps)):
            check_writable(path)
        asked_steps = min(args.steps, self.shape.seq_len)  # 0 for the hardware too: the whole context
        self.steps = asked_steps or self.shape.seq_len
        self.checkpoint = checkpoint
        for option, value in (("tap-positions", args.tap_positions), ("tap-layers", args.tap_layers)):
            if value is not None and not args.taps:
                raise ModelError(f"{option}: needs taps, the file to write")
        self.tap_positions = _numbers("tap-positions", args.tap_positions or "0", self.steps) if args.taps else []
        self.tap_layers = _numbers("tap-layers", args.tap_layers, self.shape.n_layers)
        self.build = build_that_holds(self.shape, args.config, lanes=args.lanes, engines=args.engines)
        # taps hold the logits too; else prompt positions but the last skip the classifier
        taps = tuple(self.tap_positions)
        self.job = Job(self.prompt, asked_steps, taps=taps, trace=args.trace, score=bool(taps))


def _cpu_seconds() -> float:
    """CPU time of this process and of those that it has started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def tell(request: Request, args, story: Story) -> dict:
    """Run the simulation, hand token by token to the integer model; returns the result as JSON-able dict."""
    with story.preparing() as say:
        say("quantise the weights", 0, 1)
        weights = quantised(args.model, checkpoint=request.checkpoint).shortened(args.context)
        tape = read_tape(tape_file(args.model, weights, request.build))
        session = Session(request.build, args.sim, say)
    with session, Checker(weights, request.build, request.job.request) as checker:
        began = _cpu_seconds()
        error = session.boot(tape)
        if error:
            raise SimulationError(f"the hardware refused the model: {MEANING[error]}")
        with story.telling(request.steps):
            outcome, inputs = _told(request, session, story)
        session.close()
        seconds = _cpu_seconds() - began
        answers = checker.finish()
    if args.taps:
        _save_taps(args.taps, request, inputs, outcome.taps)
    return _result(request, args, inputs, outcome, answers, seconds)


def _told(request, session, story) -> tuple[Outcome, list[int]]:
    """The story, as far as it goes: what the hardware said, and the tokens that it was fed."""
    prompt, decoder, several = request.prompt, StreamDecoder(request.tokenizer), len(session.stations) > 1
    inputs = [prompt[0]]

    def tell_on(beat: dict, rows: list[dict], cycles: int) -> None:
        for row in rows:
            # `inputs` grows with the answers, and the first engines are ahead of these while they take the prompt
            known = prompt if row["pos"] < len(prompt) else inputs
            story.print(line(row, request.tokenizer.decode_all(known[row["pos"] : row["pos"] + 1]), several))
        token = following(prompt, beat_of(beat))
        if token is not None:
            inputs.append(token)
            story.say(decoder.feed(token))
        story.advance(beat["pos"], cycles)

    if request.job.trace:
        story.print(header(several))
    story.say(decoder.feed(prompt[0]))
    (outcome,) = run_group(session, [request.job], tell_on)
    story.say(decoder.finish())
    return outcome, inputs


def _save_taps(path, request, inputs, recorded) -> None:
    wanted = request.tap_positions
    if not recorded:
        raise ModelError(f"taps: the story ended before position {min(wanted)}")
    if missed := sorted(set(wanted) - recorded.keys()):
        print(f"generate: taps: the story ended before position {', '.join(map(str, missed))}", file=sys.stderr)
    seen = {pos: split(records, request.shape) for pos, records in recorded.items()}
    save(path, request.checkpoint, inputs, seen, request.tap_layers)


def _result(request, args, inputs, outcome, answers, seconds) -> dict:
    cycles, scored = sum(outcome.cycles_per_position), sum(beat["scored"] for beat in outcome.tokens)
    return dict(
        prompt_ids=request.prompt,
        generated_ids=inputs[len(request.prompt) :],
        predicted_ids=outcome.predictions,
        text=request.tokenizer.decode_all(inputs),
        positions=len(outcome.tokens),
        scored_positions=scored,
        cycles=cycles,
        cycles_per_position=outcome.cycles_per_position,
        mac_utilisation=mac_utilisation(request.shape, request.build, len(outcome.tokens), scored, cycles),
        weight_beats=outcome.counted("weights"),
        counters={name: outcome.counted(name) for name in COUNTERS},
        saturations=outcome.counted("saturations"),
        lanes=request.build.lanes,
        engines=request.build.engines,
        rope_theta=request.shape.rope_theta,
        norm_eps=request.shape.norm_eps,
        sim=args.sim,
        simulation_cpu_seconds=round(seconds, 3),
        cycles_per_cpu_second=round(cycles / seconds),
        check_cpu_seconds=round(answers.seconds, 3),
        stop=STOP_NAMES[outcome.tokens[-1]["stop"]],
        golden_match=outcome.beats == answers.beats,
    )


def summary(result: dict) -> str:
    """The two lines at the end: what the hardware did, and what it took to simulate and to check it."""
    per_token = result["cycles"] / result["positions"]
    check = "equal to the integer model" if result["golden_match"] else "DIFFERENT from the integer model"
    return (
        f"{result['positions']} tokens, {result['cycles']:,} cycles, {per_token:,.0f} cycles per token, "
        f"MAC utilisation {result['mac_utilisation']:.1%}, {CLOCK_MHZ * 1e6 / per_token:,.0f} tokens/s at "
        f"{CLOCK_MHZ} MHz, {check} (stop: {result['stop']})\n"
        f"simulated in {result['simulation_cpu_seconds']:.1f} s of CPU time, {result['cycles_per_cpu_second']:,} "
        f"cycles a second; checked beside it in {result['check_cpu_seconds']:.1f} s"
    )


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
