"""Whole-file writes: a reader never sees a half-written file."""

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

_BLOCK = 4096


def _is_stream(path: Path) -> bool:
    """A device, a pipe, or a name for an open descriptor such as /dev/stdout: nothing that a rename may replace."""
    if path.is_symlink() and path.absolute().parts[1] in ("dev", "proc"):
        return True
    return path.exists() and not path.is_file()


def write_whole(path: str | os.PathLike, chunks: Iterable[bytes]) -> None:
    """Write the chunks to a new file beside `path`, then rename it to `path`; on any error that file is removed.

    A link is followed. What is no regular file (/dev/stdout, /dev/null, a pipe) gets the chunks directly.
    """
    try:
        if _is_stream(Path(path)):
            with open(path, "ab") as stream:  # where /dev/stdout is a file, what it holds stays
                stream.writelines(chunks)
            return
        target = os.path.realpath(path)
        part = Path(f"{target}.{secrets.token_hex(4)}.part")  # not from tempfile, whose files only their owner can read
        try:
            with part.open("xb") as file:
                file.writelines(chunks)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:  # of a full disk, say, which names no file
        raise type(error)(f"{path}: cannot be written: {error.strerror}") from error


def check_writable(path: str | os.PathLike) -> None:
    """OSError unless `write_whole` can write there: a file of one block is written beside it, and removed."""
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path}: is a folder")
    if _is_stream(Path(path)):
        if not os.access(path, os.W_OK):
            raise PermissionError(f"{path}: cannot be written")
        return
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"{path}: there is no folder {folder}")
    probe = Path(folder) / f".{secrets.token_hex(4)}.part"
    try:
        with probe.open("xb") as file:
            file.write(bytes(_BLOCK))
            os.fsync(file.fileno())
    except OSError as error:
        raise type(error)(f"{path}: nothing can be written in {folder}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):  # what could not be made
            probe.unlink(missing_ok=True)
