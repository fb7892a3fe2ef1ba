"""docs/tutorial.md runs as it stands, its Python, its files and its commands, and prints what is said there.

Fences: `python` is run, `python file=PATH` is written, `sh` is a command; `output` is what the one before it prints.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from llama2_myhdl.base.folders import PROJECT

TUTORIAL = PROJECT / "docs" / "tutorial.md"
SECONDS = re.compile(r" in [\d.]+s\b")  # of pytest's last line


class WrongError(AssertionError):
    """A fence does not do what the text says; the message has its line."""


def fences(text: str) -> list[tuple[str, str, int]]:
    """(info, content, line of the first line of the content, from 1) of each fence."""
    return [(token.info, token.content, token.map[0] + 2)
            for token in MarkdownIt().parse(text) if token.type == "fence"]  # fmt: skip


def run_python(code: str, line: int, names: dict) -> str:
    """What it prints; an error's traceback has the line in the document."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile("\n" * (line - 1) + code, str(TUTORIAL), "exec"), names)
    return printed.getvalue()


def run_command(code: str, folder: Path) -> str:
    """What a command prints, with this Python and the project's tests at hand, as in the project's folder."""
    words = [sys.executable if word == ".venv/bin/python" else word for word in shlex.split(code)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(PROJECT)])}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    return SECONDS.sub("", done.stdout + done.stderr)


def run(text: str, folder: Path) -> int:
    """Run a document in a folder; returns how many outputs were as it says. WrongError for the first that was not."""
    names, printed, outputs = {"__name__": "tutorial"}, "", 0
    for info, content, line in fences(text):
        kind, _, path = info.partition(" file=")
        if kind == "output":
            if printed != content:
                raise WrongError(f"line {line}: must print\n{content}, prints\n{printed}")
            printed, outputs = "", outputs + 1
            continue
        if printed:
            raise WrongError(f"line {line}: nothing is said of what was printed before:\n{printed}")
        if path:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
        elif kind == "python":
            printed = run_python(content, line, names)
        elif kind == "sh":
            printed = run_command(content, folder)
        elif kind != "text":
            raise WrongError(f"line {line}: a fence of {info!r} is not run")
    if printed:
        raise WrongError(f"the end: nothing is said of what was printed before:\n{printed}")
    return outputs


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder that stands for the project's, in which what the reader writes is found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "mine"]:
        del sys.modules[name]


def test_tutorial(here):
    assert run(TUTORIAL.read_text(), here) > 10


@pytest.mark.parametrize(
    "text, wrong",
    [
        ("```python\nprint(2)\n```\n```output\n3\n```", "line 5: must print\n3\n, prints\n2\n"),
        ("```sh\n.venv/bin/python -c 'print(5)'\n```\n```output\n6\n```", "line 5: must print\n6\n, prints\n5\n"),
        ("```python\nprint(7)\n```", "the end: nothing is said of what was printed before:\n7\n"),
        ("```python\nprint(7)\n```\n```text\n```", "line 5: nothing is said of what was printed before:\n7\n"),
        ("```rust\n```", "line 2: a fence of 'rust' is not run"),
    ],
)
def test_what_is_not_so_is_seen(here, text, wrong):
    with pytest.raises(WrongError, match=re.escape(wrong)):
        run(text, here)


def test_an_error_has_its_line(here):
    with pytest.raises(ZeroDivisionError) as error:
        run("# Title\n\n```python\nx = 1\nx / 0\n```", here)
    assert error.traceback[-1].lineno + 1 == 5
