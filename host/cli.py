"""The command `llama2-myhdl` of the installed package: `llama2-myhdl COMMAND ..`, each with options and --help."""

import argparse
import importlib
import sys
from importlib.metadata import version

from llama2_myhdl.base.options import Parser

COMMANDS = {  # name: module, whose main(argv) returns an exit status, and what it does
    "generate": ("llama2_myhdl.host.generate", "tell a story in simulation"),
    "watch": ("llama2_myhdl.watch.run", "a page to watch a story being told"),
    "serve": ("llama2_myhdl.host.serve.command", "answer HTTP requests as OpenAI's endpoints do"),
    "chat": ("llama2_myhdl.host.serve.terminal", "talk with a model in the terminal"),
    "perplexity": ("llama2_myhdl.host.perplexity", "tell how likely a text is, in simulation"),
    "convert": ("llama2_myhdl.rtl.convert", "write the Verilog of the whole decoder"),
    "pack": ("llama2_myhdl.weights.pack", "write the weight tape of a checkpoint for a build"),
    "board": ("llama2_myhdl.host.board", "tell a story on a board with a serial port"),
    "accuracy": ("llama2_myhdl.host.accuracy", "hold the integer model against float"),
    "fetch": ("llama2_myhdl.weights.fetch", "download a checkpoint"),
}


def main(argv: list[str] | None = None) -> int:
    """Exit status of the command; 2 after one line when there is no such command."""
    argv = sys.argv[1:] if argv is None else argv
    parser = Parser(
        prog="llama2-myhdl",
        usage="llama2-myhdl COMMAND ..",
        description="A LLaMA-2 decoder in MyHDL. Each command has --help.",
        epilog="\n".join(["commands:", *(f"  {name:10} {purpose}" for name, (_, purpose) in COMMANDS.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=argparse.SUPPRESS)
    parser.add_argument("-h", "--help", action="help", help="show this list")
    parser.add_argument("--version", action="version", version=f"llama2-myhdl {version('llama2-myhdl')}")
    command = parser.parse_args(argv[:1]).command
    return importlib.import_module(COMMANDS[command][0]).main(argv[1:])  # only what is asked for is loaded


if __name__ == "__main__":
    sys.exit(main())
