"""The generated sections of the README and of other pages, each between a pair of markers of its own."""

from llama2_myhdl.base.folders import PROJECT

README = PROJECT / "README.md"


class ReadmeError(ValueError):
    """A page has not exactly one pair of a section's markers."""


def markers(section: str) -> tuple[str, str]:
    """Begin and end of a section."""
    return f"<!-- {section} -->", f"<!-- /{section} -->"


def insert(text: str, section: str, block: str, page: str = README.name) -> str:
    """The text of a page with the lines between the markers replaced by the block; ReadmeError when there are none."""
    begin, end = markers(section)
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ReadmeError(f"{page}: must hold {begin} and {end} once each, in this order")
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n\n{block}\n{end}{rest.partition(end)[2]}"
