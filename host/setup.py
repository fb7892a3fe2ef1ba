"""What a command that runs the decoder works with: model, tokenizer and build, as its command line says."""

from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import check_writable
from llama2_myhdl.base.options import Parser
from llama2_myhdl.base.place import check_folder
from llama2_myhdl.hdl.progress import Progress
from llama2_myhdl.readers.any_tokenizer import any_tokenizer
from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.readers.codec import TextCodec
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.sim.dram import Dram
from llama2_myhdl.sim.session import SIMULATORS, Session
from llama2_myhdl.spec.config import BuildConfig, ConfigError
from llama2_myhdl.spec.presets import AUTO, build_that_holds, preset
from llama2_myhdl.spec.quantised import QuantisedCheckpoint
from llama2_myhdl.spec.sampling import LIST
from llama2_myhdl.spec.stops import STOP_REGISTERS
from llama2_myhdl.weights.cache import quantised, tape_file
from llama2_myhdl.weights.memory import read_packed
from llama2_myhdl.weights.models import DEFAULT
from llama2_myhdl.weights.tape import Tape

MODEL_HELP = "llama2.c checkpoint, GGUF file or Hugging Face folder"
TOKENIZER_HELP = "tokenizer.bin of llama2.c, tokenizer.json, tokenizer.model, GGUF file or folder"


def add_options(p: Parser, result: bool = True) -> None:
    """The options that `Setup` looks at; all have defaults. result: there is one to write."""
    p.add_argument("--model", default=DEFAULT / "model.bin", help=f"{MODEL_HELP} (the shipped default model)")
    p.add_argument("--tokenizer", help=f"{TOKENIZER_HELP} (the model's own, of the shipped model the shipped one)")
    p.add_unsaid()
    p.add_argument("--context", type=int, help="positions that the hardware may use, at most the model's (all)")
    p.add_argument("--config", default=AUTO, help=f"build preset; {AUTO}: the smallest that holds the model ({AUTO})")
    p.add_argument("--lanes", type=int, help="weights a beat, instead of the preset's")
    p.add_argument("--engines", type=int, help="layer engines of the wavefront, instead of the preset's")
    p.add_argument("--weight-bits", type=int, help="bits of a weight, 8 or 16, instead of the preset's")
    p.add_argument("--latency", type=int, help=f"cycles of a read, of a build with weights in memory ({Dram.latency})")
    p.add_argument("--refresh", type=float, help=f"percent of the cycles that its memory refreshes ({Dram.refresh:g})")
    p.add_argument("--sim", default=SIMULATORS[0], choices=SIMULATORS, help=f"simulator ({SIMULATORS[0]})")
    if result:
        p.add_argument("--json", help="write the result to this file")
    else:
        p.set_defaults(json=None)


def is_shipped(model) -> bool:
    return Path(model).resolve() == (DEFAULT / "model.bin").resolve()


def tokenizer_for(model, tokenizer, checkpoint: Checkpoint) -> TextCodec:
    """The tokenizer that a command line names, else the model's own. Raises ModelError."""
    if tokenizer is None and is_shipped(model):
        tokenizer = DEFAULT / "tokenizer.bin"
    return any_tokenizer(model, tokenizer, checkpoint)


def further_stops(checkpoint: Checkpoint, further: bool) -> tuple[int, ...]:
    """Stop tokens beside those in registers; ModelError where there are any and sequences cannot have some."""
    stops = checkpoint.stops[STOP_REGISTERS:]
    if stops and not further:
        count = len(checkpoint.stops)
        raise ModelError(f"stop tokens: must be at most {STOP_REGISTERS} without a sampler, the model has {count}")
    return stops


def list_for(config: str, asked: list[str]) -> int:
    """Entries of the list of a build's sampler; ConfigError, with what is asked of one, if it has none."""
    entries = LIST if config == AUTO else preset(config).build.list_entries
    if asked and not entries:
        raise ConfigError(f"{', '.join(asked)}: configuration {config} has no sampler (list_entries = 0), greedy only")
    return entries


def memory_of(build: BuildConfig, config: str, **given) -> Dram | None:
    """The memory of a build that reads from there, with what is given and not None; ConfigError for other builds."""
    said = {name: value for name, value in given.items() if value is not None}
    if build.buses:
        return Dram(**said)
    if said:
        raise ConfigError(f"{', '.join(said)}: configuration {config} has its weights on the chip")
    return None


class Setup:
    """checkpoint; shape: its shape with the context that is asked for; tokenizer; build; stops: those of sequences.
    Raises ModelError or ConfigError, before anything is made. sequences: slots of the build, None: as many as the
    preset has."""

    def __init__(self, args, sequences: int | None = None):
        check_folder()
        self._model, self._context, self._sim = args.model, args.context, args.sim
        self.checkpoint = read_model(args.model, rope_theta=args.theta, norm_eps=args.norm_eps)
        self.shape = self.checkpoint.shape.shortened(args.context)
        self.shipped = is_shipped(args.model)
        self.tokenizer = tokenizer_for(args.model, args.tokenizer, self.checkpoint)
        if args.json:
            check_writable(args.json)
        changes = dict(lanes=args.lanes, engines=args.engines, sequences=sequences, weight_bits=args.weight_bits)
        self.build = build_that_holds(self.shape, args.config, **changes)
        self.dram = memory_of(self.build, args.config, latency=args.latency, refresh=args.refresh)
        self.stops = further_stops(self.checkpoint, bool(self.build.list_entries))

    def open(self, say: Progress) -> tuple[QuantisedCheckpoint, tuple[Tape, list[bytes]], Session]:
        """Integer weights, what `Session.boot` takes, and the decoder, converted and compiled when it is not yet."""
        say("quantise the weights", 0, 1)
        bits = self.build.weight_bits
        weights = quantised(self._model, checkpoint=self.checkpoint, bits=bits).shortened(self._context)
        image = read_packed(tape_file(self._model, weights, self.build), self.build)
        return weights, image, Session(self.build, self._sim, say, dram=self.dram)
