"""`make story`: what a board plays from its flash when it is switched on: an image, then a prompt."""

import os
import sys
from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import check_writable, write_whole
from llama2_myhdl.base.options import Parser, unsaid
from llama2_myhdl.host.board_client import image_frames, prompt_frames
from llama2_myhdl.host.framing import framed
from llama2_myhdl.host.setup import MODEL_HELP, TOKENIZER_HELP, further_stops, is_shipped, tokenizer_for
from llama2_myhdl.host.stopping import stoppable
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.link import BEGIN, on_board, packed
from llama2_myhdl.spec.presets import build_that_holds
from llama2_myhdl.spec.recording import recorded
from llama2_myhdl.syn.bitstream import FOLDER as BITSTREAMS
from llama2_myhdl.syn.bitstream import STORY, TOP
from llama2_myhdl.weights.cache import quantised, tape_file
from llama2_myhdl.weights.models import DEFAULT
from llama2_myhdl.weights.tape import Tape, read_tape


def recording(tape: Tape, prompt: list[int], steps: int) -> bytes:
    """The bytes of the flash: frames as a host would number them behind a reset."""
    frames = [(BEGIN, packed(BEGIN)), *image_frames(tape), *prompt_frames(prompt, steps)]
    return recorded(b"".join(framed(bytes([kind, k % 256]) + body) for k, (kind, body) in enumerate(frames)))


def parser() -> Parser:
    p = Parser(prog="story", description=__doc__)
    p.add_argument("--config", default=TOP, help=f"of the bitstream ({TOP})")
    p.add_argument("--model", default=DEFAULT / "model.bin", help=f"{MODEL_HELP} (the shipped default model)")
    p.add_argument("--tokenizer", help=f"{TOKENIZER_HELP} (the model's own, of the shipped model the shipped one)")
    p.add_unsaid()
    p.add_argument("--prompt", default="", help="text to go on from (none: from the token that begins a text)")
    p.add_argument("--steps", type=int, default=0, help="positions at most; 0: all there are (0)")
    p.add_argument("--output", type=Path, help=f"file to write (where make flash looks: bitstream/CONFIG/{STORY})")
    return p


def run(argv=None) -> int:
    """As `main`, but for signals."""
    args = parser().parse_args(argv)
    try:
        checkpoint = read_model(args.model, rope_theta=args.theta, norm_eps=args.norm_eps)
        shape, shipped = checkpoint.shape, is_shipped(args.model)
        tokenizer = tokenizer_for(args.model, args.tokenizer, checkpoint)
        further_stops(checkpoint, False)
        prompt = tokenizer.encode(os.fsencode(args.prompt))
        if not 0 <= args.steps <= shape.seq_len:
            raise ModelError(f"--steps: must be 0 to {shape.seq_len}, is {args.steps}")
        if len(prompt) > shape.seq_len:
            raise ModelError(f"prompt: must have at most {shape.seq_len} tokens, has {len(prompt)}")
        build = on_board(build_that_holds(shape, args.config))
        output = args.output or BITSTREAMS / args.config / STORY
        if args.output is None:
            output.parent.mkdir(parents=True, exist_ok=True)
        check_writable(output)
        if not shipped:
            print(unsaid(shape), file=sys.stderr)
        weights = quantised(args.model, checkpoint=checkpoint, bits=build.weight_bits)
        data = recording(read_tape(tape_file(args.model, weights, build)), prompt, args.steps)
        write_whole(output, [data])
    except (ModelError, ConfigError, ValueError, OSError) as error:
        print(f"story: {error}", file=sys.stderr)
        return 2
    print(f"{output}: {len(data):,} bytes")
    return 0


def main(argv=None) -> int:
    """Exit status 0; 2 after one line about bad input; 130 or 143 after a signal."""
    return stoppable("story", lambda: run(argv))


if __name__ == "__main__":
    sys.exit(main())
