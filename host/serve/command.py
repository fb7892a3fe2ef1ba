"""`make serve`: an OpenAI-compatible endpoint before the simulated decoder, or a board."""

import socket
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.options import Parser, unsaid
from llama2_myhdl.host.serial_port import BoardError
from llama2_myhdl.host.serve import limits, opening
from llama2_myhdl.host.serve.bound import bound
from llama2_myhdl.host.serve.conversation import WITHOUT
from llama2_myhdl.host.serve.limits import Limits
from llama2_myhdl.host.serve.machine import Machine
from llama2_myhdl.host.stopping import stoppable
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.config import ConfigError

NEEDED = ("starlette", "uvicorn", "pydantic")  # of the extra `serve`
SLOTS, HOST, PORT = 4, "127.0.0.1", 8000
BAD_INPUT = 2


def parser() -> Parser:
    """Command line; all options have defaults."""
    p = Parser(prog="serve", description=__doc__)
    opening.add_options(p)
    p.add_argument("--bind", default=HOST, help=f"address to listen at; there is no password ({HOST})")
    p.add_argument("--port", type=int, default=PORT, help=f"port to listen at, 0 for any ({PORT})")
    limits.add_options(p)
    return p


def serve(args, served: opening.Opened, bounds: Limits, listener: socket.socket) -> None:
    """Answer until a signal comes."""
    from llama2_myhdl.host.serve.app import Endpoint  # these need the extra
    from llama2_myhdl.host.serve.asks import Asks
    from llama2_myhdl.host.serve.listening import server

    machine = Machine(served.decoder, bounds.queue)
    try:
        asks = Asks(served.name, served.tokenizer, served.shape.seq_len, served.shape.vocab_size,
                    served.decoder.entries, served.stops, machine.most)  # fmt: skip
        endpoint = Endpoint(asks, machine, bounds, int(Path(args.model).stat().st_mtime))
        server(endpoint.app(), bounds).run(sockets=[listener])
    finally:
        machine.stop()


def run(argv=None) -> int:
    """As `main`, but for signals."""
    args = parser().parse_args(argv)
    try:
        if missing := [name for name in NEEDED if find_spec(name) is None]:
            raise ModelError(f"{', '.join(missing)}: not installed; pip install 'llama2-myhdl[serve]'")
        if not 0 <= args.port < 1 << 16:
            raise ModelError(f"port: must be 0 to {(1 << 16) - 1}, is {args.port}")
        bounds = Limits(args.queue, args.body, timeout=args.timeout)
        with ExitStack() as stack:
            listener = stack.enter_context(bound(args.bind, args.port))  # before the minutes that a build may take
            served = opening.opened(args, SLOTS, stack)
            if not served.shipped:
                print(unsaid(served.shape), file=sys.stderr)
            if served.tokenizer.template is None:
                print(WITHOUT, file=sys.stderr)
            serve(args, served, bounds, listener)
    except (ModelError, ConfigError, SimulationError, BoardError, OSError) as error:
        print(f"serve: {error}", file=sys.stderr)
        return BAD_INPUT
    return 0


def main(argv=None) -> int:
    """Exit status 2 after one line about bad input; 130 or 143 after a signal, which is how it ends."""
    return stoppable("serve", lambda: run(argv))


if __name__ == "__main__":
    sys.exit(main())
