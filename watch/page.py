"""The page: one HTML file with its recording, style and program inside, which asks no network for anything."""

import json
from pathlib import Path

import jinja2

from llama2_myhdl.watch.limits import PAGE_BYTES

TEMPLATE = "page.html.j2"
PROGRAM = ("data.js", "machine.js", "gantt.js", "panels.js", "tensors.js", "lanes.js", "player.js")


class PageError(ValueError):
    """The page is larger than pages may be."""


def compact(recording: dict) -> str:
    """JSON without blanks."""
    return json.dumps(recording, separators=(",", ":"), allow_nan=False)


def html(recording: dict) -> bytes:
    """The page of a recording; PageError when it is too large."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined,
                                     trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    data = compact(recording).replace("<", "\\u003c")  # no text of a model ends the element that holds it
    page = environment.get_template(TEMPLATE).render(run=recording, data=data, program=PROGRAM).encode()
    if len(page) > PAGE_BYTES:
        raise PageError(f"page: must have at most {PAGE_BYTES:,} bytes, has {len(page):,}; fewer STEPS make it shorter")
    return page
