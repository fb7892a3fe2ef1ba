"""`make watch`: a story is simulated and recorded, and a page shows it beside the machine that told it.

With --output the page is written, and its recording beside it; without, both are served to this machine until Ctrl-C.
"""

import sys
from dataclasses import replace
from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.files import check_writable, write_whole
from llama2_myhdl.base.folders import GENERATED
from llama2_myhdl.base.options import Parser
from llama2_myhdl.host import choosing, setup
from llama2_myhdl.host.display import Story
from llama2_myhdl.host.generate import BAD_INPUT, MISMATCH, Request, add_story
from llama2_myhdl.host.stopping import stoppable
from llama2_myhdl.host.telling import simulate
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.watch import limits, page
from llama2_myhdl.watch.recording import recording
from llama2_myhdl.watch.server import Server

FOLDER = GENERATED / "watch"
DEFAULT_STEPS = 64
PORT = 8765


def parser() -> Parser:
    """Command line; all options have defaults."""
    p = Parser(prog="watch", description=__doc__)
    setup.add_options(p)
    add_story(p, DEFAULT_STEPS)
    choosing.add_options(p)
    p.add_argument("--output", help="write the page to this file, its recording beside it, and serve nothing")
    p.add_argument("--port", type=int, default=PORT, help=f"to serve at, on this machine alone; 0: any ({PORT})")
    # what `Request` asks for; everything is recorded here
    p.set_defaults(trace=False, taps=None, tap_positions=None, tap_layers=None)
    return p


class Watched(Request):
    """A request whose jobs are recorded. model_name: for the page; page, json: files to write."""

    def __init__(self, args):
        if args.steps is None and not args.new_tokens:
            args.steps = DEFAULT_STEPS
        super().__init__(args)
        if self.positions > limits.TOKENS:
            raise ModelError(f"positions: a page has room for {limits.TOKENS}, stories may have {self.positions}")
        if not 0 <= args.port <= 65535:
            raise ModelError(f"port: must be 0 to 65535, is {args.port}")
        self.model_name = "shipped model" if self.shipped else Path(args.model).name
        self.page = Path(args.output) if args.output else FOLDER / "page.html"
        if not args.output:
            FOLDER.mkdir(parents=True, exist_ok=True)
        self.json = Path(args.json) if args.json else self.page.with_suffix(".json")
        if self.json == self.page:
            raise ModelError(f"json: must be another file than the page, is {self.json}")
        for path in (self.page, self.json):
            check_writable(path)
        taps = tuple(range(self.steps))
        self.jobs = [replace(job, taps=taps, trace=True, score=True) for job in self.jobs]


def record(request: Watched, args, story: Story) -> tuple[bytes, bytes, dict]:
    """Page and recording, written to their files; and the recording itself."""
    found = recording(request, simulate(request, story), args.sim)
    text, html = page.compact(found).encode(), page.html(found)
    write_whole(request.json, [text])
    write_whole(request.page, [html])
    return html, text, found


def run(argv=None) -> int:
    """As `main`, but for signals."""
    args = parser().parse_args(argv)
    try:
        request = Watched(args)
        server = None if args.output else Server(args.port, {})
        html, text, found = record(request, args, Story())
    except (ModelError, ConfigError, SimulationError, page.PageError, OSError) as error:
        print(f"watch: {error}", file=sys.stderr)
        return BAD_INPUT
    equal = all(story["equal"] for story in found["stories"])
    check = "equal to the integer model" if equal else "DIFFERENT from the integer model"
    print(f"{len(found['tokens'])} tokens, {check}")
    print(f"{request.page}: {len(html):,} bytes; {request.json}: {len(text):,} bytes")
    if server:
        html_kind, json_kind = "text/html; charset=utf-8", "application/json"
        server.files |= {"/": (html_kind, html), f"/{request.json.name}": (json_kind, text)}
        print(f"{server.address} shows it, until Ctrl-C", flush=True)
        with server:
            server.serve_forever()
    return 0 if equal else MISMATCH


def main(argv=None) -> int:
    """Exit status 0; 1 when hardware and integer model differ; 2 after one line about bad input; 130 or 143 after a
    signal, which also ends the server."""
    return stoppable("watch", lambda: run(argv))


if __name__ == "__main__":
    sys.exit(main())
