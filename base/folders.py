"""Where the project's files lie, and where it puts what it generates: the same in a checkout and when installed."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def _generated() -> Path:
    """sim_build/ in a checkout; else a folder in the user's cache: an installed package does not write into itself."""
    if (PROJECT / "setup.cfg").is_file():
        return PROJECT / "sim_build"
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "llama2-myhdl"


GENERATED = _generated()
