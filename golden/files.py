"""Whole-file writes: a reader never sees a half-written file."""

import os
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: str | os.PathLike, chunks: Iterable[bytes]) -> None:
    """Write the chunks to `path`.part, then rename it to `path`; on any error the part file is removed."""
    part = Path(f"{path}.part")
    try:
        with part.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
