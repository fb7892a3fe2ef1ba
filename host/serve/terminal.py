"""`make chat`: a conversation with the model in the terminal, on the simulated decoder or a board.

A line is what you say; the model answers as its tokens come. An empty line begins anew, Ctrl-D ends it.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.options import Parser, unsaid
from llama2_myhdl.base.plain_text import plain
from llama2_myhdl.host.serial_port import BoardError
from llama2_myhdl.host.serve import opening
from llama2_myhdl.host.serve.conversation import WITHOUT, conversation
from llama2_myhdl.host.serve.passage import Passage
from llama2_myhdl.host.stopping import stoppable
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.sampling import Sampling
from llama2_myhdl.spec.sequence import Request

PROMPT = "> "
BAD_INPUT = 2


def parser() -> Parser:
    """Command line; all options have defaults."""
    p = Parser(prog="chat", description=__doc__.splitlines()[0])
    opening.add_options(p)
    p.add_argument("--temperature", type=float, default=0.0, help="of the softmax that is drawn from; 0: greedy (0)")
    p.add_argument("--topp", dest="top_p", metavar="P", type=float, default=1.0, help="from a nucleus of P (1: off)")
    p.add_argument("--seed", type=int, default=0, help="of the random numbers (0)")
    p.add_argument("--new-tokens", type=int, default=0, help="of an answer at most; 0: to the end of the context (0)")
    return p


class Chat:
    """A conversation. new_tokens: of an answer at most, 0 for as many as there is room for."""

    def __init__(self, opened: opening.Opened, sampling: Sampling, new_tokens: int):
        if new_tokens < 0:
            raise ModelError(f"new_tokens must be at least 0 (no limit), is {new_tokens}")
        if not opened.decoder.entries and not sampling.greedy:
            raise ModelError(f"temperature must be 0 in a build without a sampler, is {sampling.temperature:g}")
        self._opened, self._sampling, self._new = opened, sampling, new_tokens
        self.messages: list[dict[str, str]] = []

    def answer(self, text: str) -> Iterator[str]:
        """What the model says to it, piece by piece. ModelError leaves the conversation as it was."""
        messages = [*self.messages, dict(role="user", content=text)]
        prompt, context = conversation(self._opened.tokenizer, messages), self._opened.shape.seq_len
        if len(prompt) > context:
            raise ModelError(
                f"the conversation must have at most {context} tokens, has {len(prompt)}; an empty line begins anew"
            )
        steps = min(context, len(prompt) - 1 + self._new) if self._new else context
        request = Request(tuple(prompt), steps, False, self._sampling, self._opened.stops)
        passage, said = Passage(self._opened.tokenizer, request), []
        self._opened.decoder.start(0, request)
        while not passage.ended:
            for _, beat in self._opened.decoder.advance():
                said.append(passage.feed(beat))
                yield said[-1]
        self.messages = [*messages, dict(role="assistant", content="".join(said))]


def talk(chat: Chat, lines: Iterable[str], out) -> None:
    """Answer line by line."""
    for line in lines:
        text = line.rstrip("\n")
        if not text:
            chat.messages.clear()
            continue
        try:
            for piece in chat.answer(text):
                print(plain(piece), end="", file=out, flush=True)
        except ModelError as error:
            print(f"chat: {error}", end="", file=sys.stderr, flush=True)
        print(file=out, flush=True)


def typed() -> Iterator[str]:
    """Lines of standard input, with a prompt where a terminal is."""
    while True:
        try:
            yield input(PROMPT if sys.stdin.isatty() else "")
        except EOFError:
            return
        except UnicodeDecodeError as error:
            raise ModelError(f"the input is not UTF-8: {error.reason}") from error


def run(argv=None) -> int:
    """As `main`, but for signals."""
    args = parser().parse_args(argv)
    try:
        sampling = Sampling(args.temperature, top_p=args.top_p, seed=args.seed)
        with ExitStack() as stack:
            opened = opening.opened(args, 1, stack)
            stack.callback(opened.decoder.close)
            chat = Chat(opened, sampling, args.new_tokens)
            if not opened.shipped:
                print(unsaid(opened.shape), file=sys.stderr)
            if opened.tokenizer.template is None:
                print(WITHOUT, file=sys.stderr)
            talk(chat, typed(), sys.stdout)
    except (ModelError, ConfigError, SimulationError, BoardError, OSError) as error:
        print(f"chat: {error}", file=sys.stderr)
        return BAD_INPUT
    return 0


def main(argv=None) -> int:
    """Exit status 0 at the end of the input; 2 after one line about bad input; 130 or 143 after a signal."""
    return stoppable("chat", lambda: run(argv))


if __name__ == "__main__":
    sys.exit(main())
