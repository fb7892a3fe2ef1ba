"""`make generate`: the decoder's Verilog, simulated, tells a story; every token is checked against the
integer golden model.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from llama2_myhdl.golden.checkpoint import read_checkpoint
from llama2_myhdl.golden.errors import ModelError
from llama2_myhdl.golden.files import check_writable, write_whole
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.golden.tokenizer import StreamDecoder, read_tokenizer
from llama2_myhdl.host.display import Story
from llama2_myhdl.host.models import DEFAULT
from llama2_myhdl.host.simulate import Job, SimulationError, collect, events, prepare
from llama2_myhdl.host.taps import save, split
from llama2_myhdl.host.trace import header, line
from llama2_myhdl.host.utilisation import mac_utilisation
from llama2_myhdl.rtl.config import ConfigError
from llama2_myhdl.rtl.decode.counters import COUNTERS
from llama2_myhdl.rtl.decode.decode_loop import STOP_NAMES
from llama2_myhdl.rtl.decoder import stations
from llama2_myhdl.rtl.errors import MEANING
from llama2_myhdl.rtl.presets import build_of
from llama2_myhdl.weights.cache import quantised, tape_file

DEFAULT_PROMPT = "Once upon a time"
CLOCK_MHZ = 90  # the routed blocks' common target; see `make pnr`
BAD_INPUT = 2
MISMATCH = 1


def parser() -> argparse.ArgumentParser:
    """Command line; all options have defaults."""
    p = argparse.ArgumentParser(prog="generate", description=__doc__)
    p.add_argument("--model", default=DEFAULT / "model.bin", help="llama2.c checkpoint (the shipped default model)")
    p.add_argument("--tokenizer", help="llama2.c tokenizer.bin (the shipped one)")
    p.add_argument("--prompt", default=DEFAULT_PROMPT, help=f"text to go on from ({DEFAULT_PROMPT!r})")
    p.add_argument("--steps", type=int, default=256, help="positions to run at most, the prompt included (256)")
    p.add_argument("--config", default="default", help="build preset (default)")
    p.add_argument("--lanes", type=int, help="weights a beat, instead of the preset's")
    p.add_argument("--engines", type=int, help="layer engines of the wavefront, instead of the preset's")
    p.add_argument("--sim", default="verilator", choices=("verilator", "icarus"), help="simulator (verilator)")
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
        if not item.isdecimal() or int(item) >= limit:
            raise ModelError(f"{option}: must be numbers from 0 to {limit - 1}, is {item!r}")
    return [int(item) for item in text.split(",")]


class Request:
    """A checked command line: model, tokenizer, prompt ids, build. Raises ModelError or ConfigError."""

    def __init__(self, args):
        checkpoint = read_checkpoint(args.model)
        self.shape = checkpoint.shape
        if args.tokenizer is None and Path(args.model).resolve() != (DEFAULT / "model.bin").resolve():
            raise ModelError("--tokenizer: must be given with --model")
        self.tokenizer = read_tokenizer(args.tokenizer or DEFAULT / "tokenizer.bin", self.shape.vocab_size)
        if not args.prompt:
            raise ModelError("prompt: must have at least 1 character, is empty")
        self.prompt = self.tokenizer.encode(os.fsencode(args.prompt))
        if len(self.prompt) > self.shape.seq_len:
            raise ModelError(f"prompt: must have at most {self.shape.seq_len} tokens, has {len(self.prompt)}")
        if args.steps < 1:
            raise ModelError(f"steps: must be at least 1, is {args.steps}")
        for path in filter(None, (args.json, args.taps)):
            check_writable(path)
        self.steps = min(args.steps, self.shape.seq_len)
        self.checkpoint = checkpoint
        for option, value in (("tap-positions", args.tap_positions), ("tap-layers", args.tap_layers)):
            if value is not None and not args.taps:
                raise ModelError(f"{option}: needs taps, the file to write")
        self.tap_positions = _numbers("tap-positions", args.tap_positions or "0", self.steps) if args.taps else []
        self.tap_layers = _numbers("tap-layers", args.tap_layers, self.shape.n_layers)
        build = build_of(args.config, lanes=args.lanes, engines=args.engines)
        build.check(self.shape)
        self.build = build


def tell(request: Request, args, story: Story) -> dict:
    """Run the simulation, token by token against the golden model; returns the result as JSON-able dict."""
    with story.stage("quantise the weights"):
        weights = quantised(args.model)
        tape = tape_file(args.model, weights, request.build)
    with story.stage(f"convert and compile for {args.sim}"):
        prepared = prepare(request.build, args.sim)
    golden = FixedModel(weights, request.build)
    decoder = StreamDecoder(request.tokenizer)
    folder, several = Path(prepared[2]), stations(request.build) > 1
    taps = {pos: str(folder / f"taps-{os.getpid()}-{pos}.json") for pos in request.tap_positions}
    # taps hold the logits too; else prompt positions but the last skip the classifier
    job = Job(request.prompt, request.steps, str(tape), taps, args.trace, score=bool(taps))
    began = time.monotonic()
    inputs, expected, seen = [request.prompt[0]], [], []
    story.say(decoder.feed(request.prompt[0]))
    with story.telling(request.steps):
        if args.trace:
            story.print(header(several))
        for event in events(prepared, args.sim, [job]):
            seen.append(event)
            if event["event"] == "boot" and event["error"]:
                raise SimulationError(f"the hardware refused the model: {MEANING[event['error']]}")
            if event["event"] == "start":
                start = event
            if event["event"] == "trace":
                # `inputs` grows with the answers, and the first engines are ahead of these while they take the prompt
                known = request.prompt if event["pos"] < len(request.prompt) else inputs
                text = request.tokenizer.decode_all(known[event["pos"] : event["pos"] + 1])
                story.print(line(event, text, several))
            if event["event"] != "token":
                continue
            pos = event["pos"]
            logits = golden.forward(inputs[pos], pos, scored=bool(event["scored"]))
            expected.append(int(logits.argmax()) if event["scored"] else 0)
            following = event["token"] if event["sampled"] else request.prompt[pos + 1] if not event["last"] else None
            if following is not None and not (event["sampled"] and STOP_NAMES.get(event["stop"]) == "stop token"):
                inputs.append(following)
                story.say(decoder.feed(following))
            story.advance(pos, event["cycles"] - start["cycles"])
        story.say(decoder.finish())
    (collected,), seconds = collect(seen, 1), time.monotonic() - began
    if args.taps:
        _save_taps(args.taps, request, inputs, taps)
    return _result(request, args, inputs, collected, expected, seconds)


def _save_taps(path, request, inputs, files) -> None:
    seen = {}
    for pos, file in files.items():
        if Path(file).exists():  # the story may have ended before this position
            seen[pos] = split(json.loads(Path(file).read_text()), request.shape)
            os.unlink(file)
    if not seen:
        raise ModelError(f"taps: the story ended before position {min(files)}")
    if missed := sorted(files.keys() - seen.keys()):
        print(f"generate: taps: the story ended before position {', '.join(map(str, missed))}", file=sys.stderr)
    save(path, request.checkpoint, inputs, seen, request.tap_layers)


def _result(request, args, inputs, outcome, expected, seconds) -> dict:
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
        sim=args.sim,
        wall_seconds=round(seconds, 2),
        stop=STOP_NAMES[outcome.tokens[-1]["stop"]],
        golden_match=outcome.predictions == expected,
    )


def summary(result: dict) -> str:
    """The one line at the end."""
    per_token = result["cycles"] / result["positions"]
    check = "equal to the integer model" if result["golden_match"] else "DIFFERENT from the integer model"
    return (
        f"{result['positions']} tokens, {result['cycles']:,} cycles, {per_token:,.0f} cycles per token, "
        f"MAC utilisation {result['mac_utilisation']:.1%}, {CLOCK_MHZ * 1e6 / per_token:,.0f} tokens/s at "
        f"{CLOCK_MHZ} MHz, {check} (stop: {result['stop']}, {result['wall_seconds']} s simulated)"
    )


def main(argv=None) -> int:
    """Exit status 0; 1 when hardware and golden model differ; 2 after one line about bad input."""
    args = parser().parse_args(argv)
    story = Story()
    try:
        result = tell(Request(args), args, story)
        if args.json:
            write_whole(args.json, [json.dumps(result).encode()])
    except (ModelError, ConfigError, SimulationError, OSError) as error:
        print(f"generate: {error}", file=sys.stderr)
        return BAD_INPUT
    print(summary(result))
    return 0 if result["golden_match"] else MISMATCH


if __name__ == "__main__":
    sys.exit(main())
