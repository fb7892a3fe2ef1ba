"""The commands `serve` and `chat`: what they refuse in one line, and a conversation in the terminal."""

import io
import json
import os
import pty
import socket
import subprocess
import sys

import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.host import generate
from llama2_myhdl.host.serve import command, terminal
from llama2_myhdl.host.serve.limits import Limits
from tb.host.nano import SHAPE, options_of, told


@pytest.fixture(scope="module")
def nano(tmp_path_factory):
    return options_of(tmp_path_factory.mktemp("nano"))


def refused(capfd, main, options, words):
    """One line, and exit status 2."""
    assert main(options) == 2
    line = capfd.readouterr().err.strip().splitlines()[-1]
    assert words in line
    return line


@pytest.mark.parametrize(
    "options, words",
    [
        (["--port=70000"], "port: must be 0 to 65535, is 70000"),
        (["--queue=-1"], "queue: must be 0 to"),
        (["--body=0"], "body: must be"),
        (["--timeout=nan"], "timeout: must be"),
        (["--slots=3"], "sequences: must be a power of two, is 3"),
        (["--model=nowhere.bin"], "nowhere.bin: "),
        (["--board=/nowhere"], "no port /nowhere: "),
        (["--board=/nowhere", "--baud=0"], "--baud: must be 1 to 5e+07, is 0"),
    ],
)
def test_refusals_of_serve(nano, options, words, capfd):
    assert refused(capfd, command.main, [*nano, *options], words).startswith("serve: ")


def test_an_address_that_is_taken(nano, capfd):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(capfd, command.main, [*nano, f"--port={port}"], f"serve: 127.0.0.1:{port}: cannot be listened at: ")


def test_what_is_not_installed_is_named(nano, capfd, monkeypatch):
    monkeypatch.setattr(command, "NEEDED", ("starlette", "no_such_package"))
    refused(capfd, command.main, nano, "serve: no_such_package: not installed; pip install 'llama2-myhdl[serve]'")


@pytest.mark.parametrize(
    "options, words",
    [
        (["--temperature=0.001"], "temperature must be 0 (greedy) or"),
        (["--new-tokens=-1"], "new_tokens must be at least 0"),
    ],
)
def test_refusals_of_chat(nano, options, words, capfd):
    assert refused(capfd, terminal.main, [*nano, *options], words).startswith("chat: ")


def test_limits():
    with pytest.raises(ModelError, match="head_seconds: must be 0.01 to 1073741824, is 0"):
        Limits(head_seconds=0)


def test_a_conversation(nano, capfd, monkeypatch):
    """Each answer is what `generate` tells of the messages so far; what does not fit is one line; a new beginning."""
    lines = ["hi", "a" * 40, "", "hi"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    assert terminal.main([*nano, "--new-tokens=5"]) == 0
    output = capfd.readouterr()
    text = told(nano, "--prompt", "hi", "--new-tokens", "5", main=generate.main)["text"].removeprefix("hi")
    assert output.out == f"{text}\n\n{text}\n"
    assert f"chat: the conversation must have at most {SHAPE.seq_len} tokens, has " in output.err
    assert "the model has no chat template" in output.err


def test_a_terminal_gets_a_prompt(nano):
    """And nothing that would steer it; Ctrl-D ends the conversation."""
    here, there = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", terminal.__name__, *nano], stdin=there, stdout=subprocess.PIPE)
    os.close(there)
    os.write(here, b"hi\n\x04")
    output, _ = process.communicate(timeout=120)
    os.close(here)
    assert process.returncode == 0 and output.startswith(b"> ") and b"\x1b" not in output and b"\x07" not in output
    assert json.dumps(output.decode()).count("> ") == 2
