"""What the endpoint and the terminal chat work with: model, tokenizer and a running decoder, as a command line says."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from llama2_myhdl.base.options import Parser
from llama2_myhdl.base.stages import stages
from llama2_myhdl.host import setup
from llama2_myhdl.host.board import BAUD, SECONDS, check_limits, load
from llama2_myhdl.host.board_client import Board
from llama2_myhdl.host.link import Pace
from llama2_myhdl.host.serial_port import Port
from llama2_myhdl.host.serve.decoders import Decoder, OnBoard, Simulated
from llama2_myhdl.host.setup import Setup, further_stops, is_shipped, tokenizer_for
from llama2_myhdl.readers.codec import TextCodec
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import AUTO

SHIPPED = "shipped"  # the default model's name


@dataclass(frozen=True)
class Opened:
    """name: of the model; stops: stop tokens that sequences bring along; shipped: it is the default model."""

    name: str
    tokenizer: TextCodec
    shape: ModelShape
    decoder: Decoder
    stops: tuple[int, ...]
    shipped: bool


def add_options(p: Parser) -> None:
    """Those of a model, and of a build or a board."""
    setup.add_options(p, result=False)
    p.add_argument("--name", help="of the model, for clients (its file's)")
    p.add_argument("--slots", type=int, help="sequences side by side, a power of two (4, or the preset's)")
    p.add_argument("--board", help="serial port of a board in place of the simulation")
    p.add_argument("--baud", type=int, default=BAUD, help=f"bits a second of the board's port ({BAUD:,})")


def opened(args, slots: int, stack: ExitStack) -> Opened:
    """The simulated decoder, or the board that `args.board` names, whose port is left to the stack. slots: of the
    simulated one where the command line does not say, but for a preset, which has its own."""
    name = args.name or (SHIPPED if is_shipped(args.model) else Path(args.model).resolve().stem)
    if args.board:
        return _on_board(args, name, stack)
    work = Setup(args, sequences=slots if args.slots is None and args.config == AUTO else args.slots)
    with stages(Console(stderr=True)) as say:
        _, image, session = work.open(say)
    return Opened(name, work.tokenizer, work.shape, Simulated(session, image), work.stops, work.shipped)


def _on_board(args, name: str, stack: ExitStack) -> Opened:
    check_limits("baud", args.baud)
    checkpoint = read_model(args.model, rope_theta=args.theta, norm_eps=args.norm_eps)
    tokenizer = tokenizer_for(args.model, args.tokenizer, checkpoint)
    further_stops(checkpoint, False)
    port = stack.enter_context(Port(args.board, args.baud, SECONDS))
    board = Board(port, Pace(seconds=SECONDS))
    load(board, checkpoint, args.model, stages(Console(stderr=True), "bytes"))
    return Opened(name, tokenizer, checkpoint.shape, OnBoard(board), (), is_shipped(args.model))
