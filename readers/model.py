"""The one way to a checkpoint of any kind that is read: `read_model`."""

import hashlib
import os
import struct
from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.checkpoint import Checkpoint, read_checkpoint
from llama2_myhdl.readers.llama2c import MAGIC, read_llama2c

WHAT_IS_READ = "llama2.c checkpoints, GGUF files and Hugging Face folders are read"


def read_model(
    path: str | os.PathLike, *, rope_theta: float | None = None, norm_eps: float | None = None
) -> Checkpoint:
    """The Checkpoint of a model; what it is follows from its first bytes.

    rope_theta, norm_eps: what llama2.c's files do not say; for others, in place of what they say. Raises ModelError.
    """
    path = Path(path)
    given = {"rope_theta": rope_theta, "norm_eps": norm_eps}
    given = {key: value for key, value in given.items() if value is not None}
    try:
        if path.is_dir():
            from llama2_myhdl.readers.hugging_face import read_folder  # its libraries only where they are needed

            return read_folder(path, given)
        start = _start(path)
        if start == struct.pack("<I", MAGIC):
            return read_llama2c(path, given)
        if start == b"GGUF":
            from llama2_myhdl.readers.gguf_model import read_gguf

            return read_gguf(path, given)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    return read_checkpoint(path, read=WHAT_IS_READ, **given)


def digest_of(path: str | os.PathLike) -> hashlib.sha256:
    """SHA-256 over the files that `read_model` reads."""
    path, digest = Path(path), hashlib.sha256()
    if path.is_dir():
        from llama2_myhdl.readers.hugging_face import model_files
    for file in model_files(path) if path.is_dir() else [path]:
        with open(file, "rb") as data:
            digest.update(hashlib.file_digest(data, "sha256").digest())
    return digest


def _start(path: Path) -> bytes:
    """The first four bytes of a file."""
    with open(path, "rb") as file:
        return file.read(4)
