"""`make pack`: quantise a checkpoint and write its weight tape.

For a build that reads from memory the file is the boot image alone, and OUTPUT.memory what lies in memory.
"""

import sys

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import check_writable
from llama2_myhdl.base.options import Parser, unsaid
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.spec.config import BuildConfig, ConfigError
from llama2_myhdl.spec.presets import build_of
from llama2_myhdl.weights.cache import quantised
from llama2_myhdl.weights.memory import memory_file, read_packed, write_packed


def _places(places: list[int], build: BuildConfig) -> str:
    """Where the parts of the file lie in it, in words."""
    rows = [f"embedding at {places[-1]:#x}"] if build.embedding else []
    tapes = places[: len(places) - len(rows)]
    return ", ".join([f"tapes at {', '.join(map(hex, tapes))}"] * bool(tapes) + rows)


def main(argv=None) -> int:
    """Exit status 0, or 2 after one line that says what was wrong."""
    parser = Parser(prog="pack", description=__doc__.splitlines()[0])
    parser.add_argument("model", help="llama2.c checkpoint, GGUF file or Hugging Face folder")
    parser.add_argument("output", help="tape file to write")
    parser.add_argument("--config", default="default", help="build preset (default)")
    parser.add_argument("--lanes", type=int, help="weights a beat, instead of the preset's")
    parser.add_argument("--engines", type=int, help="layer engines, instead of the preset's")
    parser.add_argument("--weight-bits", type=int, help="bits of a weight, 8 or 16, instead of the preset's")
    parser.add_argument("--context", type=int, help="positions that the hardware may use, at most the model's (all)")
    parser.add_unsaid()
    args = parser.parse_args(argv)
    beside = memory_file(args.output)
    try:
        build = build_of(args.config, lanes=args.lanes, engines=args.engines, weight_bits=args.weight_bits)
        for file in (args.output, beside) if build.buses else (args.output,):
            check_writable(file)  # before minutes are spent
        checkpoint = read_model(args.model, rope_theta=args.theta, norm_eps=args.norm_eps)
        build.check(checkpoint.shape.shortened(args.context))
        weights = quantised(args.model, checkpoint=checkpoint, bits=build.weight_bits).shortened(args.context)
        places = write_packed(args.output, weights, build)
        tape, _ = read_packed(args.output, build)
    except (ModelError, ConfigError, OSError) as error:
        print(f"pack: {error}", file=sys.stderr)
        return 2
    print(f"{args.output}: {len(tape.beats)} beats of {tape.beats.shape[1]} bytes, {tape.beats.size} bytes")
    if places:
        print(f"{beside}: {_places(places, build)}")
    print(unsaid(tape.shape))
    return 0


if __name__ == "__main__":
    sys.exit(main())
