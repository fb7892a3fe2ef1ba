"""`make board`: a board gets a model over its serial port and tells a story, held against the integer model."""

import os
import sys
import time
from dataclasses import dataclass

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.options import Parser, unsaid
from llama2_myhdl.golden.checker import Checker
from llama2_myhdl.host.board_client import Board, overheard
from llama2_myhdl.host.display import Story
from llama2_myhdl.host.link import Pace
from llama2_myhdl.host.serial_port import BoardError, Port
from llama2_myhdl.host.setup import MODEL_HELP, TOKENIZER_HELP, further_stops, is_shipped, tokenizer_for
from llama2_myhdl.host.stopping import stoppable
from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.readers.codec import StreamDecoder
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.spec.causes import CAUSES, IDLE
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.sequence import Beat, Request, following
from llama2_myhdl.spec.stops import STOP_NAMES, STOP_TOKEN
from llama2_myhdl.weights.cache import quantised, tape_file
from llama2_myhdl.weights.models import DEFAULT
from llama2_myhdl.weights.tape import read_tape

DEFAULT_PROMPT = "Once upon a time"
BAUD, SECONDS = 3_000_000, 2.0
LIMITS = {"baud": (1, 50_000_000), "timeout": (0.01, 3600)}
MISMATCH, BAD_INPUT, BAD_BOARD = 1, 2, 3


def parser() -> Parser:
    """Command line; only the port must be given."""
    p = Parser(prog="board", description=__doc__)
    p.add_argument("--port", required=True, help="serial port of the board, such as /dev/ttyUSB0")
    p.add_argument("--baud", type=int, default=BAUD, help=f"bits a second, as the bitstream has them ({BAUD:,})")
    p.add_argument("--timeout", type=float, default=SECONDS, help=f"seconds to wait for an answer ({SECONDS:g})")
    p.add_argument("--model", default=DEFAULT / "model.bin", help=f"{MODEL_HELP} (the shipped default model)")
    p.add_argument("--tokenizer", help=f"{TOKENIZER_HELP} (the model's own, of the shipped model the shipped one)")
    p.add_unsaid()
    p.add_argument(
        "--prompt", action="append", help=f"text to go on from; given again, another story ({DEFAULT_PROMPT!r})"
    )
    p.add_argument("--steps", type=int, default=256, help="positions at most, prompt included; 0: all there are (256)")
    p.add_argument(
        "--listen", action="store_true", help="load nothing: show the story that the board tells from its flash"
    )
    return p


def check_limits(option: str, value: float) -> None:
    """ModelError for a value of an option that has LIMITS."""
    least, most = LIMITS[option]
    if not least <= value <= most:
        raise ModelError(f"--{option}: must be {least:g} to {most:g}, is {value}")


class Task:
    """A checked command line: model, tokenizer, the sequences to ask for. Raises ModelError."""

    def __init__(self, args):
        self.checkpoint = read_model(args.model, rope_theta=args.theta, norm_eps=args.norm_eps)
        self.shape = self.checkpoint.shape
        self.shipped = is_shipped(args.model)
        self.tokenizer = tokenizer_for(args.model, args.tokenizer, self.checkpoint)
        further_stops(self.checkpoint, False)
        if args.steps < 0:
            raise ModelError(f"--steps: must be at least 0, is {args.steps}")
        for option in LIMITS:
            check_limits(option, getattr(args, option))
        steps = min(args.steps, self.shape.seq_len)
        texts = [] if args.listen else args.prompt or [DEFAULT_PROMPT]
        self.requests = [self._request(text, steps) for text in texts]

    def _request(self, text: str, steps: int) -> Request:
        prompt = self.tokenizer.encode(os.fsencode(text))
        if len(prompt) > self.shape.seq_len:
            raise ModelError(f"prompt: must have at most {self.shape.seq_len} tokens, has {len(prompt)}")
        return Request(tuple(prompt), steps, score=False)


@dataclass(frozen=True)
class Told:
    """A story as the board told it. busy: cycles in which its first engine had something to do."""

    beats: list[Beat]
    busy: int
    seconds: float
    golden_match: bool

    def summary(self) -> str:
        tokens = len(self.beats)
        check = "equal to the integer model" if self.golden_match else "DIFFERENT from the integer model"
        return (
            f"{tokens} tokens, {self.busy / tokens:,.0f} busy cycles per token, {tokens / self.seconds:,.0f} tokens/s, "
            f"{check} (stop: {STOP_NAMES[self.beats[-1].stop]})"
        )


def _busy(board: Board) -> int:
    counters = board.counters()
    return sum(counters[cause] for cause in CAUSES if cause != CAUSES[IDLE])


def tell(board: Board, request: Request, tokenizer, story: Story) -> tuple[list[Beat], float]:
    """Have a story told and show it as it comes; its beats, and the seconds that it took."""
    decoder, beats, began = StreamDecoder(tokenizer), [], time.monotonic()
    with story.telling(request.steps or board.build.max_seq):
        story.say(decoder.feed(request.prompt[0]))
        for beat in board.tell(list(request.prompt), request.steps, request.score):
            beats.append(beat)
            story.advance(beat.pos)
            token = following(request.prompt, beat)
            if token is not None:
                story.say(decoder.feed(token))
        story.say(decoder.finish())
    return beats, time.monotonic() - began


def load(board: Board, checkpoint: Checkpoint, model, preparing):
    """Quantise the checkpoint of the file `model`, make its image for this board's build, and load it; the quantised
    weights. preparing: as `base.stages.stages` gives it, in bytes."""
    board.build.check(checkpoint.shape)
    with preparing as say:
        say("quantise the weights", 0, 1)
        weights = quantised(model, checkpoint=checkpoint, bits=board.build.weight_bits)
        tape = read_tape(tape_file(model, weights, board.build))
        began = time.monotonic()
        board.load(tape, lambda done, total: say("load the image", done, total))
    seconds = time.monotonic() - began
    again = f", {board.resent} times again from a lost frame" if board.resent else ""
    print(f"board {board.digest:08x}: {tape.beats.size:,} bytes loaded in {seconds:.2f} s{again}", file=sys.stderr)
    return weights


def listen(args, task: Task, story: Story) -> None:
    """Show what the board says by itself, from the beginning of a story to its end."""
    decoder = StreamDecoder(task.tokenizer)
    print("listening: switch the board on, or press PWR", file=sys.stderr)
    with Port(args.port, args.baud, args.timeout) as port, story.telling(task.shape.seq_len):
        for beat in overheard(port, args.timeout):
            story.advance(beat.pos)
            if beat.sampled and beat.stop != STOP_TOKEN:
                story.say(decoder.feed(beat.token))
        story.say(decoder.finish())


def perform(args) -> list[Told]:
    """All that is asked for; raises what `run` catches."""
    task, story = Task(args), Story()
    if args.listen:
        listen(args, task, story)
        return []
    if not task.shipped:
        print(unsaid(task.shape), file=sys.stderr)
    stories = []
    with Port(args.port, args.baud, args.timeout) as port:
        board = Board(port, Pace(seconds=args.timeout))
        weights = load(board, task.checkpoint, args.model, story.preparing("bytes"))
        for request in task.requests:
            before = _busy(board)
            with Checker(weights, board.build, [request]) as checker:
                beats, seconds = tell(board, request, task.tokenizer, story)
                answers = checker.finish()
            stories.append(Told(beats, _busy(board) - before, seconds, [beats] == answers.beats))
            print(stories[-1].summary())
    return stories


def run(argv=None) -> int:
    """As `main`, but for signals."""
    args = parser().parse_args(argv)
    try:
        stories = perform(args)
    except (ModelError, ConfigError, OSError) as error:
        print(f"board: {error}", file=sys.stderr)
        return BAD_INPUT
    except BoardError as error:
        print(f"board: {error}", file=sys.stderr)
        return BAD_BOARD
    return 0 if all(told.golden_match for told in stories) else MISMATCH


def main(argv=None) -> int:
    """Exit status 0; 1 when board and integer model differ; 2 after one line about bad input, 3 after one about the
    board or its port; 130 or 143 after a signal."""
    return stoppable("board", lambda: run(argv))


if __name__ == "__main__":
    sys.exit(main())
