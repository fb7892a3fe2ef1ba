"""The figures of the last accepted runs, in docs/synth.json: what a new run is held against."""

import json

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.syn.memories import HARD

FILE = PROJECT / "docs" / "synth.json"
GROWTH = 0.05  # of any resource


def load() -> dict:
    """All stored figures by name; none where there is no file. Raises json.JSONDecodeError."""
    return json.loads(FILE.read_text()) if FILE.is_file() else {}


def store(name: str, figures: dict) -> None:
    """Keep the figures of one run, in place of its earlier ones."""
    known = load() | {name: figures}
    write_whole(FILE, [(json.dumps(dict(sorted(known.items())), indent=1) + "\n").encode()])


def worse(found: dict, stored: dict) -> list[str]:
    """What has become worse, one line each: more than GROWTH of a resource, or a memory that has left its RAM."""
    lines = []
    for column, before in stored["resources"].items():
        now = found["resources"].get(column, 0)
        if now > before * (1 + GROWTH):
            grown = f" ({now / before - 1:+.1%})" if before else ""
            lines.append(f"{column}: {now:,g}, stored are {before:,g}{grown}")
    for name, before in stored["memories"].items():
        now = found["memories"].get(name)
        if now and before["kind"] in HARD and now["kind"] not in HARD:
            lines.append(f"{name}: in {now['kind']}, stored is {before['kind']} RAM")
    return lines
