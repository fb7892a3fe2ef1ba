"""Files of other formats: one line says what the file is and what is read; no real checkpoint is ever mistaken."""

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.readers import checkpoint as checkpoints
from llama2_myhdl.readers.checkpoint import random_checkpoint, read_checkpoint, write_checkpoint
from llama2_myhdl.readers.file_kind import LOOK, file_kind
from llama2_myhdl.readers.model import WHAT_IS_READ, read_model
from llama2_myhdl.readers.tokenizer import read_tokenizer
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.weights.tape import FILE_MAGIC, read_tape

NOISE = np.random.default_rng(1).integers(0, 256, 3000, np.uint8).tobytes()


def llama2c(version):
    """As export.py of llama2.c begins: magic, version, the shape, one byte, and a header of 256 bytes in all."""
    return struct.pack("<Ii7iB", 0x616B3432, version, 64, 172, 5, 8, 4, 512, 512, 1).ljust(256, b"\0") + NOISE


def archive(*names):
    """A zip archive with these files in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, NOISE)
    return buffer.getvalue()


def safetensors():
    header = json.dumps({"w": {"dtype": "F32", "shape": [750], "data_offsets": [0, 3000]}}).encode()
    return struct.pack("<Q", len(header)) + header + NOISE


def gzip_of_a_tar():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        file.addfile(tarfile.TarInfo("model.bin"))
    return buffer.getvalue()


FOREIGN = {
    "llama2.c 1": (llama2c(1), "a llama2.c checkpoint of version 1 (float32)"),
    "llama2.c 2": (llama2c(2), "a llama2.c checkpoint of version 2 (int8 groups, Q8_0)"),
    "llama2.c 7": (llama2c(7), "a llama2.c checkpoint of version 7"),
    "GGUF": (b"GGUF" + struct.pack("<IQQ", 3, 201, 24) + NOISE, "a GGUF file (version 3)"),
    "GGML": (b"tjgg" + struct.pack("<I", 3) + NOISE, "a GGML file"),
    "safetensors": (safetensors(), "a safetensors file"),
    "PyTorch": (archive("model/data.pkl", "model/data/0"), "a PyTorch checkpoint (zip)"),
    "old PyTorch": (pickle.dumps(0x1950A86A20F9469CFC6C, 2) + NOISE, "a PyTorch checkpoint (pickle)"),
    "zip": (archive("model.bin"), "a zip archive"),
    "empty zip": (archive(), "a zip archive"),
    "gzip": (gzip_of_a_tar(), "a gzip archive"),
    "HTML": (b"<!DOCTYPE html>\n<html><body>404: Not Found</body></html>\n", "an HTML page"),
    "HTML in small letters": (b"\n\t  <!doctype HTML>\n<html></html>\n", "an HTML page"),
    "HTML without a type": (b"\xef\xbb\xbf<HTML lang='en'>\xc3\xa9</HTML>", "an HTML page"),
    "XML": (b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', "an XML file"),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 60816028\n",
        "a Git LFS pointer, not the file that it points to",
    ),
    "JSON": (b' {"dim": 64, "n_layers": 5, "n_heads": 8}', "a JSON file"),
    "text": (b"Not Found", "a text file"),
    "long text": ("é".encode() * LOOK, "a text file"),  # LOOK falls between characters
    "text cut inside a character": (b"a" + "é".encode() * LOOK, "a text file"),
    "SentencePiece": (b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02\n\x0c" + NOISE, "a SentencePiece model"),
    "tape": (FILE_MAGIC + NOISE, "a weight tape"),
    "empty": (b"", "an empty file"),
}
READ = ("GGUF", "llama2.c 1", "llama2.c 2", "llama2.c 7")  # that `read_model` looks at more closely
READERS = {
    "model": (read_model, WHAT_IS_READ),
    "checkpoint": (read_checkpoint, "llama2.c checkpoints of version 0 are read"),
    "tokenizer": (lambda path: read_tokenizer(path, 512), "tokenizer.bin of llama2.c is read"),
}


def refusal(read, path):
    """The line that `read` refuses the file with."""
    with pytest.raises(ModelError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "reader"), [(n, r) for n in FOREIGN for r in READERS if r != "model" or n not in READ]
)
def test_foreign_file(tmp_path, name, reader):
    (content, kind), (read, what) = FOREIGN[name], READERS[reader]
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    assert refusal(read, path) == f"{path}: is {kind}; {what}"


@pytest.mark.parametrize("name", [name for name in FOREIGN if name != "tape"])
def test_foreign_file_as_a_tape(tmp_path, name):
    content, kind = FOREIGN[name]
    path = tmp_path / "file.tape"
    path.write_bytes(content)
    assert refusal(read_tape, path) == f"{path}: not a weight tape: must start with {FILE_MAGIC!r}, is {kind}"


@pytest.mark.parametrize("reader", [reader for reader in READERS if reader != "model"])
def test_folder(tmp_path, reader):
    read, what = READERS[reader]
    assert refusal(read, tmp_path) == f"{tmp_path}: is a folder; {what}"


def test_no_tape_there(tmp_path):
    assert refusal(read_tape, tmp_path) == f"{tmp_path}: cannot be read: Is a directory"
    assert "No such file" in refusal(read_tape, tmp_path / "none")


def test_unknown_files_stay_what_they_are():
    for content in (NOISE, b"\0" * 100, b"\x93NUMPY" + NOISE, struct.pack("<Q", 1 << 40) + b"{}" + NOISE, b"\x01"):
        assert file_kind(content[:LOOK], len(content)) is None


# Headers whose first bytes are those of a pickle, and the brace of a safetensors file where that has it.
LOOK_ALIKES = [ModelShape(640, 4, 1, 2, 1, 8, 4), ModelShape(16, 24, 0x7B, 4, 2, 32, 16)]


@pytest.mark.parametrize("shape", LOOK_ALIKES)
def test_checkpoints_that_look_alike(tmp_path, shape):
    """They are read; damaged, they are called truncated, or the field is named."""
    path = tmp_path / "model.bin"
    write_checkpoint(random_checkpoint(shape, seed=1), path)
    assert read_checkpoint(path).shape == shape
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    assert "truncated" in refusal(read_checkpoint, path)
    path.write_bytes(data[:20])
    assert "truncated" in refusal(read_checkpoint, path)
    path.write_bytes(data[:4] + struct.pack("<i", -24) + data[8:])
    assert "hidden_dim" in refusal(read_checkpoint, path)


def test_a_good_header_is_never_held_against_other_formats(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "file_kind", lambda head, size: "anything")
    path, shape = tmp_path / "model.bin", LOOK_ALIKES[1]
    write_checkpoint(random_checkpoint(shape, seed=1), path)
    assert read_checkpoint(path).shape == shape
    path.write_bytes(path.read_bytes()[:-4])
    assert "truncated" in refusal(read_checkpoint, path)


@pytest.mark.parametrize("name", ["PyTorch", "HTML", "empty"])
def test_command(tmp_path, name):
    path = tmp_path / "model.bin"
    path.write_bytes(FOREIGN[name][0])
    command = [sys.executable, "-m", "llama2_myhdl.weights.pack", path, tmp_path / "x.tape"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert result.returncode == 2 and not result.stdout
    line = f"pack: {path}: is {FOREIGN[name][1]}; {WHAT_IS_READ}\n"
    assert result.stderr == line
    assert os.listdir(tmp_path) == ["model.bin"]
