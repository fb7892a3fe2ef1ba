"""Damaged files of every format: one line that says what is wrong, or a model as its own header has it; never more.

The files are read in a process of their own with bounds on its memory and its processor time, so that a crash, a hang
or a hunger for memory of any of the libraries is seen, with the file that makes it. `make readers` reads 10,000 files
of each format, `make test` a share of them.
"""

import json
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.readers.any_tokenizer import any_tokenizer
from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.readers.tokenizer import write_tokenizer
from llama2_myhdl.spec.config import ModelShape
from tb.readers import gguf_files, hugging_face_folder, llama2c_files, vocabularies
from tb.readers.damage import damaged

SHAPE = ModelShape(32, 32, 2, 4, 2, 1100, 64)
SEED, FEW, MANY = 1, 200, 10_000
BATCH = 1000  # files a process: the libraries lose a kilobyte or two with each tokenizer, good ones too
ROOM = 4 << 20  # bytes that a process may come to take from the system beside twice the file: allocators, messages
SECONDS = 0.5  # of the processor a file, on the average of a run; a hang needs all of it
TEXT = "Once upon a time 🙂\n"


def gguf_with(folder: Path, change) -> Path:
    gguf_files.write(folder / "file", random_checkpoint(SHAPE, seed=1), "Q8_0", change=change)
    return folder / "file"


def folder_of(folder: Path, name: str) -> Path:
    """A whole folder, and of its files the one to damage."""
    hugging_face_folder.write(
        folder,
        hugging_face_folder.config(random_checkpoint(SHAPE, seed=1)),
        hugging_face_folder.tensors(random_checkpoint(SHAPE, seed=1), "bfloat16"),
        shards=2 if "index" in name else 1,
    )
    if name.startswith("tokenizer"):
        (folder / "tokenizer.json").write_text(vocabularies.byte_level("llama-bpe", True).to_str())
        (folder / "tokenizer_config.json").write_text(
            json.dumps(dict(bos_token="<|begin|>", chat_template="{% for m in messages %}{{ m.content }}{% endfor %}"))
        )
    if name == "tokenizer.model":
        (folder / "tokenizer.json").unlink()
        (folder / "tokenizer.model").write_bytes(vocabularies.pieces_proto())
    return folder / name


def plain(folder: Path, data: bytes) -> Path:
    (folder / "file").write_bytes(data)
    return folder / "file"


def version0(folder: Path) -> Path:
    write_checkpoint(random_checkpoint(SHAPE, seed=1), folder / "file")
    return folder / "file"


def tokenizer_bin(folder: Path) -> Path:
    pieces = [f"<{k}>".encode() for k in range(SHAPE.vocab_size)]
    write_tokenizer(pieces, [float(-k) for k in range(len(pieces))], folder / "file")
    return folder / "file"


def merges(writer):
    vocabularies.add_byte_level(writer, vocabularies.byte_level("smollm", False), "smollm")
    writer.add_chat_template("{% for m in messages %}{{ m.content }}{% endfor %}")


# a good file of each format, written into an empty folder, and what reads it
FORMATS = {
    "llama2.c 0": (version0, "model"),
    "llama2.c 1": (lambda f: plain(f, llama2c_files.version1(random_checkpoint(SHAPE, seed=1))), "model"),
    "llama2.c 2": (lambda f: plain(f, llama2c_files.version2(random_checkpoint(SHAPE, seed=1), 32)), "model"),
    "safetensors": (lambda f: folder_of(f, "model.safetensors"), "folder"),
    "index": (lambda f: folder_of(f, "model.safetensors.index.json"), "folder"),
    "config.json": (lambda f: folder_of(f, "config.json"), "folder"),
    "GGUF": (lambda f: gguf_with(f, merges), "model and tokenizer"),
    "GGUF with pieces": (lambda f: gguf_with(f, vocabularies.add_pieces), "model and tokenizer"),
    "tokenizer.bin": (tokenizer_bin, "tokenizer"),
    "tokenizer.json": (lambda f: folder_of(f, "tokenizer.json"), "tokenizer of the folder"),
    "tokenizer_config.json": (lambda f: folder_of(f, "tokenizer_config.json"), "tokenizer of the folder"),
    "tokenizer.model": (lambda f: folder_of(f, "tokenizer.model"), "tokenizer of the folder"),
}


def look(path: Path, what: str) -> None:
    """Read a file, or the folder around it, as the commands do, and use what comes of it. Raises ModelError."""
    place = path.parent if "folder" in what else path
    checkpoint = random_checkpoint(SHAPE, seed=1) if what.startswith("tokenizer") else read_model(place)
    if what in ("model", "folder"):
        return
    codec = any_tokenizer("", place, checkpoint) if what == "tokenizer" else any_tokenizer(place, None, checkpoint)
    codec.decode_all(codec.encode(TEXT))
    codec.decode_all(range(codec.vocab_size))
    if codec.template is not None:
        codec.chat([dict(role="user", content="hi")])


def _mapped() -> int:
    """Bytes of this process's address space."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def read_many(name: str, folder: Path, first: int, count: int) -> dict:
    """Damage the file of a format again and again, and read it: how often it was refused, and what went wrong."""
    make, what = FORMATS[name]
    path = make(folder)
    good, faults, refused, kinds = path.read_bytes(), [], 0, set()
    look(path, what)
    look(path, what)
    size, before = _mapped(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    # beyond what a good file needs, also for memory that is asked for and never touched
    bound = size + ROOM + 2 * len(good)
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    for number in range(first, first + count):
        data = damaged(good, random.Random(f"{SEED} {name} {number}"))
        path.write_bytes(data)
        print(number, file=sys.stderr, flush=True)  # the last one stands there if this process dies
        try:
            look(path, what)
        except ModelError as error:
            refused += 1
            kinds.add(str(error).rpartition(": ")[2][:20])
            if "\n" in str(error):
                faults.append((number, f"more than a line: {error}"))
        except Exception as error:  # what must not come out of a reader
            faults.append((number, f"{type(error).__name__}: {error}"))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    return dict(refused=refused, kinds=len(kinds), faults=faults[:5], grown=grown, size=len(good))


def run(name: str, folder: Path, first: int, count: int) -> dict:
    """`read_many` in a process of its own; AssertionError when that dies."""
    command = [sys.executable, "-m", "tb.readers.test_damage", name, str(folder), str(first), str(count)]
    seconds = 60 + SECONDS * count

    def bounds():
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    found = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, preexec_fn=bounds)
    last = [line for line in found.stderr.splitlines() if line.isdecimal()][-1:]
    assert found.returncode == 0, f"{name}: died at damage {last} with status {found.returncode}: {found.stderr[-900:]}"
    return json.loads(found.stdout.splitlines()[-1])


def judge(name: str, folder: Path, first: int, count: int) -> None:
    result = run(name, folder, first, count)
    assert result["faults"] == [], name
    assert count // 4 <= result["refused"] <= count, name  # a change among the weights is another model, no fault
    assert result["kinds"] >= 5, name
    # one peak over all files, so it holds for each: twice the file beside what every process needs
    assert result["grown"] <= ROOM + 2 * result["size"], name


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files(tmp_path, name):
    judge(name, tmp_path, 0, FEW)


@pytest.mark.models
@pytest.mark.parametrize("name", FORMATS)
def test_many_damaged_files(tmp_path, name):
    for first in range(0, MANY, BATCH):
        (tmp_path / str(first)).mkdir()
        judge(name, tmp_path / str(first), first, BATCH)


if __name__ == "__main__":
    given, where, start, number = sys.argv[1:]
    print(json.dumps(read_many(given, Path(where), int(start), int(number))))
