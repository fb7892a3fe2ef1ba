"""`make pack`: quantise a checkpoint and write its weight tape.

For a build that reads its tapes from memory the file is the boot image alone, and OUTPUT.memory what lies in memory.
"""

import sys

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import check_writable, write_whole
from llama2_myhdl.base.options import Parser, unsaid
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.spec.config import BuildConfig, ConfigError
from llama2_myhdl.spec.presets import build_of
from llama2_myhdl.spec.quantised import QuantisedCheckpoint
from llama2_myhdl.weights.cache import quantised
from llama2_myhdl.weights.tape import boot_image, memory_image, read_tape, tape_places, write_tape


def write_memory(path: str, weights: QuantisedCheckpoint, build: BuildConfig) -> list[int]:
    """The tapes as they lie in memory, from address 0 of the file on; their addresses."""
    tapes = memory_image(weights, build)
    places = tape_places(tapes, build)
    ends = [*places[1:], places[-1] + len(tapes[-1])]
    write_whole(path, [tape.ljust(end - place, b"\0") for tape, place, end in zip(tapes, places, ends)])
    return places


def main(argv=None) -> int:
    """Exit status 0, or 2 after one line that says what was wrong."""
    parser = Parser(prog="pack", description=__doc__.splitlines()[0])
    parser.add_argument("model", help="llama2.c checkpoint, GGUF file or Hugging Face folder")
    parser.add_argument("output", help="tape file to write")
    parser.add_argument("--config", default="default", help="build preset (default)")
    parser.add_argument("--lanes", type=int, help="weights a beat, instead of the preset's")
    parser.add_argument("--engines", type=int, help="layer engines, instead of the preset's")
    parser.add_argument("--context", type=int, help="positions that the hardware may use, at most the model's (all)")
    parser.add_unsaid()
    args = parser.parse_args(argv)
    try:
        check_writable(args.output)  # before minutes are spent
        build = build_of(args.config, lanes=args.lanes, engines=args.engines)
        checkpoint = read_model(args.model, rope_theta=args.theta, norm_eps=args.norm_eps)
        build.check(checkpoint.shape.shortened(args.context))
        weights = quantised(args.model, checkpoint=checkpoint).shortened(args.context)
        write_tape(args.output, boot_image(weights, build))
        tape = read_tape(args.output)
        places = write_memory(f"{args.output}.memory", weights, build) if build.weights else []
    except (ModelError, ConfigError, OSError) as error:
        print(f"pack: {error}", file=sys.stderr)
        return 2
    print(f"{args.output}: {len(tape.beats)} beats of {tape.lanes} bytes, {tape.beats.size} bytes")
    if places:
        print(f"{args.output}.memory: tapes at {', '.join(map(hex, places))}")
    print(unsaid(tape.shape))
    return 0


if __name__ == "__main__":
    sys.exit(main())
