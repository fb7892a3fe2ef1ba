"""The front door: `make help` lists every target, and wrong values end in one clear line."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASKED_FOR = {
    "help", "setup", "test", "sim", "convert", "pack", "generate", "accuracy", "regress", "fetch", "train", "lint",
    "synth", "pnr", "clean",
}  # fmt: skip


def make(*arguments: str) -> subprocess.CompletedProcess:
    """Run make in the repository; the environment is the caller's without make's own variables."""
    return subprocess.run(
        ["env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "make", *arguments], cwd=ROOT, capture_output=True, text=True
    )


def test_help_lists_every_target_with_its_purpose():
    done = make("help")
    listed = dict(re.findall(r"^  (\S+) +(\S.*)$", done.stdout, re.M))
    assert done.returncode == 0
    assert ASKED_FOR <= listed.keys()
    assert make().stdout == done.stdout


def test_every_public_target_is_in_help():
    declared = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M).group(1).split()
    assert set(declared) == set(re.findall(r"^  (\S+) ", make("help").stdout, re.M)) | {"known-block"}


@pytest.mark.parametrize("block", ["nonsense", "", "two words", "%"])
def test_unknown_block_is_one_line_that_lists_the_known_ones(block):
    done = make("sim", f"BLOCK={block}")
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    known = {p.stem.removeprefix("test_") for p in ROOT.glob("tb/*/test_*.py") if p.parent.name != "shell"}
    assert f"unknown BLOCK '{block}'" in line
    assert set(line.partition("known: ")[2].removesuffix(".  Stop.").split()) == known


def test_unknown_simulator_is_named():
    known = next(p.stem.removeprefix("test_") for p in ROOT.glob("tb/*/test_*.py") if p.parent.name != "shell")
    done = make("sim", f"BLOCK={known}", "SIM=modelsim")
    assert done.returncode != 0
    assert "SIM is icarus or verilator, not modelsim" in done.stderr


@pytest.mark.parametrize("prompt", ["Hi there, it's", 'say "hi" for $5 # or `id`', "a  b", "café", ""])
def test_prompt_reaches_the_command_unchanged(prompt, tmp_path):
    echo = tmp_path / "echo.py"
    echo.write_text("import sys\nprint(ascii(sys.argv[1:]))\n")
    done = make("generate", f"PROMPT={prompt}", "STEPS=4", "TRACE=1", f"GENERATE={echo}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ascii(["--steps=4", f"--prompt={prompt}", "--trace"])


@pytest.mark.parametrize("value, flags", [("1", ["--trace"]), ("0", []), ("", [])])
def test_a_flag_of_0_is_off(value, flags, tmp_path):
    echo = tmp_path / "echo.py"
    echo.write_text("import sys\nprint(ascii(sys.argv[1:]))\n")
    done = make("generate", f"TRACE={value}", f"GENERATE={echo}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ascii(flags)
