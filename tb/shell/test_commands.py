"""Command lines: a wrong option is one line and exit status 2, in every command; `llama2-myhdl` knows them by name."""

import importlib

import pytest

from llama2_myhdl.base.options import Parser
from llama2_myhdl.host import cli

MODULES = {
    **{name: module for name, (module, _) in cli.COMMANDS.items()},
    "sampler": "llama2_myhdl.host.sampler",
    "bench": "llama2_myhdl.host.bench",
    "timing": "llama2_myhdl.host.timing",
    "toggles": "llama2_myhdl.host.toggles",
    "figures": "llama2_myhdl.host.figures",
    "coverage": "llama2_myhdl.host.coverage",
    "plan": "llama2_myhdl.host.plan",
    "fpga": "llama2_myhdl.host.fpga",
    "performance": "llama2_myhdl.host.performance.command",
    "synth": "llama2_myhdl.syn.synth",
    "pnr": "llama2_myhdl.syn.pnr",
    "bitstream": "llama2_myhdl.syn.bitstream",
    "story": "llama2_myhdl.host.recording",
    "llama2-myhdl": "llama2_myhdl.host.cli",
}


def refused(capsys, main, arguments, name) -> str:
    """The one line that `main` ends with."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    output = capsys.readouterr()
    assert ended.value.code == 2 and output.out == ""
    (line,) = output.err.splitlines()
    assert line.startswith(f"{name}: ")
    return line


@pytest.mark.parametrize("name", MODULES)
def test_an_unknown_option_is_one_line(name, capsys):
    main = importlib.import_module(MODULES[name]).main
    refused(capsys, main, ["--no-such-option"], name)
    refused(capsys, main, ["--no-such\noption"], name)


@pytest.mark.parametrize(
    "name, option, value",
    [
        ("generate", "--sim", "questa"),
        ("generate", "--steps", "many"),
        ("generate", "--temperature", "hot"),
        ("generate", "--topk", "1.5"),
        ("generate", "--samples", "some"),
        ("perplexity", "--lanes", "many"),
        ("watch", "--port", "here"),
        ("serve", "--port", "http"),
        ("serve", "--timeout", "long"),
        ("chat", "--temperature", "hot"),
        ("convert", "--lanes", "many"),
        ("pack", "--engines", "x\ny"),
        ("accuracy", "--positions", "1.5"),
        ("sampler", "--draws", "many"),
        ("bench", "--quick", "yes"),
        ("timing", "--pos", ""),
        ("toggles", "--steps", "few"),
        ("figures", "--only", "some"),
        ("coverage", "--block", "nowhere"),
        ("fpga", "--only", "some"),
        ("performance", "--clock", "fast"),
        ("performance", "--position", "1.5"),
        ("synth", "--target", "pdp11"),
        ("pnr", "--seed", "one"),
        ("board", "--baud", "fast"),
        ("bitstream", "--clock", "1e9"),
        ("story", "--steps", "some"),
    ],
)
def test_an_impossible_value_is_one_line_that_names_its_option(name, option, value, capsys):
    line = refused(capsys, importlib.import_module(MODULES[name]).main, [f"{option}={value}"], name)
    assert f"argument {option}" in line and (repr(value) in line)


def test_a_parser_says_what_is_missing(capsys):
    parser = Parser(prog="tool")
    parser.add_argument("file")
    assert refused(capsys, parser.parse_args, [], "tool") == "tool: the following arguments are required: file"


@pytest.mark.parametrize("name", MODULES)
def test_help_is_still_long(name, capsys):
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(MODULES[name]).main(["--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 3


def test_a_command_gets_the_other_arguments_and_gives_its_exit_status(monkeypatch):
    from llama2_myhdl.rtl import convert

    monkeypatch.setattr(convert, "main", lambda argv: (argv, 7))
    assert cli.main(["convert", "--help", "--", "-x", "--version"]) == (["--help", "--", "-x", "--version"], 7)


def test_the_list_of_commands(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in cli.COMMANDS)


@pytest.mark.parametrize("arguments, words", [([], "required: COMMAND"), (["tell"], "'tell'"), (["-x"], "COMMAND")])
def test_no_such_command(arguments, words, capsys):
    assert words in refused(capsys, cli.main, arguments, "llama2-myhdl")
