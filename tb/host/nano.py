"""A random model on the nano build, for tests of the commands."""

import json
from pathlib import Path

from llama2_myhdl.host import generate
from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.readers.tokenizer import write_tokenizer
from llama2_myhdl.spec.presets import preset

SHAPE = preset("nano").shape
BELL, ESCAPE = 20, 21  # tokens that would steer a terminal
PIECES = [b"<unk>", b"\n<s>\n", b"\n</s>\n", b" ", b"h", b"i", b" h", b"hi", *(bytes([c]) for c in b"abcdefgjklmn"),
          b"\x07", b"\x1b[2J", *(bytes([c]) for c in b"opqrstuvwx")]  # fmt: skip


def options_of(folder: Path) -> list[str]:
    """Options for a random model, whose files are written there, on the nano build."""
    assert len(PIECES) == SHAPE.vocab_size
    write_checkpoint(random_checkpoint(SHAPE, seed=21), folder / "model.bin")
    write_tokenizer(PIECES, [float(len(piece)) for piece in PIECES], folder / "tokenizer.bin")
    files = ["--model", str(folder / "model.bin"), "--tokenizer", str(folder / "tokenizer.bin")]
    return [*files, "--config", "nano"]


def told(options, *more, main=generate.main, status=0):
    """The result of a run of `generate`, or of another command, that must end with this status."""
    path = f"{options[1]}.json"
    assert main([*options, *more, "--json", path]) == status
    with open(path) as file:
        return json.load(file)
